"""Trains all heads at once on the training files of a data directory.

Goes on from OUT/checkpoint.pt if that is of a run with the same options and data, to the same weights as if there had been
no interruption. Writes OUT/network.pt and OUT/run.json at the end: `export.py` makes a model directory of them.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from corpora.batches import Epochs
from corpora.examples import TAGS
from corpora.features import load_tokenizer
from corpora.readers import DATASETS
from model import distillation
from model.checkpoint import Checkpoint, Interruption, identity
from model.coreference_examples import CoreferenceCorpus
from model.evaluate import dev_scores
from model.losses import batch_loss
from model.network import Network, load_model

WARM_UP = 0.1  # share of the steps in which the learning rate rises
REPORT = 20  # steps between lines of the log
# What may differ between the two halves of an interrupted run.
NO_MATTER = ("out", "tools", "threads", "evaluate_every", "checkpoint_every")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True, type=Path, help="directory with model.safetensors, config.json, tokenizer.json")
    parser.add_argument("--data", required=True, type=Path, help="directory of the corpora")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--tools", help="directory of score_attributions.py; without it statement scores are not printed")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--shares", default="polnear=1,en_worldwide=0.5,conll2003=1",
                        help="share of each data set's documents seen in one epoch")
    parser.add_argument("--batch", type=int, default=16, help="windows a step")
    parser.add_argument("--rate", type=float, default=1.5e-4, help="peak learning rate of the encoder")
    parser.add_argument("--head-rate", type=float, default=1e-3, help="peak learning rate of heads and new embeddings")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--layer-decay", type=float, default=1.0,
                        help="factor on the encoder's learning rate from each layer to the one below")
    parser.add_argument("--frozen", action="append", default=[], metavar="PART",
                        help="parameters with this in their name stay as they are")
    parser.add_argument("--learned", action="append", default=[], metavar="PART",
                        help="only parameters with this in their name learn, and all others stay as they are")
    parser.add_argument("--bfloat16", action="store_true",
                        help="the encoder's products in bfloat16: several times faster where the processor has it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without", action="append", default=[], choices=sorted(DATASETS), help="leave a data set out")
    parser.add_argument("--perturbed", default="polnear=0.2,en_worldwide=0.1,conll2003=0.05",
                        help="share of each data set's documents with other quotation marks or capitals (perturb.py)")
    parser.add_argument("--recased", default="",
                        help="share of the others with capitals throughout or nowhere; a teacher sees those as they were")
    parser.add_argument("--coreference", type=Path, help="directory of mentions.py: the encoder learns from these too")
    parser.add_argument("--coreference-share", type=float, default=1.0, help="of what is seen of those in one epoch")
    parser.add_argument("--extra", action="append", default=[], metavar="FILE",
                        help="statements of your own besides, such as the page downloads (docs/annotations.md)")
    parser.add_argument("--teacher", action="append", default=[], type=Path,
                        help="model directory whose scores are learned beside the annotation; of several the mean")
    parser.add_argument("--taught", action="append", default=[], choices=sorted(TAGS),
                        help="only this tag head learns from the teacher, on windows that are not annotated for it")
    parser.add_argument("--states", type=float, default=0.0, metavar="WEIGHT",
                        help="of a loss that keeps the states near those of a single teacher of the same width")
    parser.add_argument("--start-from", type=Path, help="model directory to start from instead of the encoder alone")
    parser.add_argument("--evaluate-every", type=int, default=1, help="epochs between evaluations on the dev files; 0: none")
    parser.add_argument("--checkpoint-every", type=float, default=300, metavar="SECONDS")
    options = parser.parse_args()
    if options.taught and not options.teacher:
        parser.error("--taught needs a --teacher")
    if options.states and len(options.teacher) != 1:
        parser.error("--states needs one --teacher")
    return options


def is_fresh(network, name):
    """Whether a parameter is no part of the pretrained encoder."""
    return not name.startswith(network.architecture + ".") or "shape_" in name or "gap_" in name


def parameter_groups(network, options):
    """Parameters with their learning rates: the encoder's fall from the top layer down (Howard and Ruder 2018)."""
    layers, groups = len(network.encoder.encoder["layer"]), {}
    for name, parameter in network.named_parameters():
        is_frozen = any(part in name for part in options.frozen)
        if is_frozen or (options.learned and not any(part in name for part in options.learned)):
            parameter.requires_grad_(False)
        if not parameter.requires_grad:
            continue
        rate = options.head_rate
        if not is_fresh(network, name):
            found = re.search(r"\.layer\.(\d+)\.", name)
            rate = options.rate * options.layer_decay ** (layers - 1 - int(found[1]) if found else layers)
        groups.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "lr": rate} for rate, parameters in groups.items()]


def network_to_train(options):
    """The encoder with new heads, or the model to start from."""
    network = Network(json.loads((options.encoder / "config.json").read_text()), options.dropout)
    if options.start_from:
        load_model(network, options.start_from)
        network.encoder.knows_caseless = True
    else:
        prefix = network.architecture + "."
        pretrained = load_file(options.encoder / "model.safetensors")
        pretrained = {prefix + name.removeprefix(prefix): tensor for name, tensor in pretrained.items()}
        missing, _ = network.load_state_dict(pretrained, strict=False)
        unexpected = [name for name in missing if not is_fresh(network, name)]
        if unexpected:
            raise SystemExit(f"{options.encoder}: the encoder lacks {unexpected}")
    network.bfloat16 = options.bfloat16
    return network


def origin(options, files):
    """What the weights depend on, by name: options as they are, and hashes of what they name."""
    known = {name: value for name, value in vars(options).items() if name not in NO_MATTER}
    for name in ("encoder", "start_from", "coreference"):
        known[name] = known[name] and identity(known[name])
    return known | {"teacher": [identity(model) for model in options.teacher], "data": files, "extra": len(options.extra)}


class Log:
    """Prints the means of the losses every few steps, and at the end of an epoch."""

    def __init__(self):
        self.began, self.tokens, self.losses, self.steps = time.time(), 0, {}, 0

    def step(self, place, parts, tokens, is_last):
        self.tokens, self.steps = self.tokens + tokens, self.steps + 1
        for name, value in parts.items():
            self.losses.setdefault(name, []).append(value)
        if self.steps % REPORT == 0 or is_last:
            means = " ".join(f"{name} {sum(values) / len(values):.4f}" for name, values in self.losses.items())
            print(f"{place} {means} tok/s {self.tokens / (time.time() - self.began):.0f}", flush=True)
            self.losses = {}


class Run:
    """Training, from where it was interrupted on."""

    def __init__(self, options):
        self.options = options
        self.tokenizer = load_tokenizer(options.encoder / "tokenizer.json")
        coreference = CoreferenceCorpus(options.coreference, self.tokenizer) if options.coreference else None
        self.network, self.teacher = network_to_train(options), None
        if options.teacher:
            self.teacher = distillation.Teacher(options.teacher, self.tokenizer, options.taught, options.bfloat16)
        self.optimiser = torch.optim.AdamW(parameter_groups(self.network, options), weight_decay=0.01, fused=True)
        self.epochs = Epochs(options, self.tokenizer, coreference)
        # Epochs differ by a batch or two; the schedule counts the first one's.
        first = self.epochs.batches(0)
        self.steps = options.epochs * len(first)
        warm = WARM_UP * self.steps
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, lambda step: (
            step / warm if step < warm else max(0.0, (self.steps - step) / (self.steps - warm))))
        print(f"{self.steps} steps, {sum(len(e.ids) for batch in first for e in batch)} tokens an epoch", flush=True)
        self.checkpoint = Checkpoint(
            options.out / "checkpoint.pt", origin(options, self.epochs.files), self.network, self.optimiser, self.schedule)
        self.state = {"epoch": 0, "batch": 0, "seconds": 0.0, "history": []}
        if saved := self.checkpoint.restore():
            self.state = saved
            print(f"resumed at epoch {saved['epoch']} batch {saved['batch']}", flush=True)
        self.saved = time.time()
        self.interruption = Interruption()

    def save(self):
        self.state["seconds"] += time.time() - self.saved
        self.checkpoint.save(self.state)
        self.saved = time.time()

    def train(self):
        while self.state["epoch"] < self.options.epochs:
            self.train_epoch(self.state["epoch"])
            self.state["epoch"], self.state["batch"] = self.state["epoch"] + 1, 0
            self.evaluate()
            self.save()

    def train_epoch(self, epoch):
        batches, log = self.epochs.batches(epoch), Log()
        self.network.train()
        while self.state["batch"] < len(batches):
            loss, parts, tokens = batch_loss(self.network, batches[self.state["batch"]], self.teacher, self.options.states)
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()
            self.schedule.step()
            self.state["batch"] += 1
            done = self.state["batch"]
            log.step(f"epoch {epoch} {done}/{len(batches)}", parts, tokens, done == len(batches))
            if self.interruption.signal or time.time() - self.saved > self.options.checkpoint_every:
                self.save()
            if self.interruption.signal:
                print(f"stopped at epoch {epoch} batch {done}: the same command goes on", flush=True)
                sys.exit(128 + self.interruption.signal)

    def evaluate(self):
        options, done = self.options, self.state["epoch"]
        if options.evaluate_every and (done % options.evaluate_every == 0 or done == options.epochs):
            scores = dev_scores(self.network, self.tokenizer, options.data, options.tools)
            self.state["history"].append({"epoch": done, **scores})
            print("EPOCH", done, json.dumps(scores), flush=True)

    def finish(self):
        """Writes the weights and how they came about. The checkpoint goes: whoever trains again wants to begin at the start."""
        out = self.options.out
        torch.save(self.network.state_dict(), out / "network.pt")
        (out / "run.json").write_text(json.dumps({
            "options": vars(self.options), "files": self.epochs.files, "seconds": round(self.state["seconds"]),
            "steps": self.steps, "history": self.state["history"], "torch": torch.__version__}, indent=1, default=str))
        self.checkpoint.path.unlink()


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    run = Run(options)
    run.train()
    run.finish()


if __name__ == "__main__":
    main()
