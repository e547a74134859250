#!/usr/bin/env python3
"""Trains all heads at once on the training files of a data directory.

    train.py --encoder DIR --data DIR --out DIR [--epochs 4] [--seed 1] [--without DATASET]... [--extra FILE]...

Resumes from OUT/checkpoint.pt if it is there. Writes OUT/network.pt and OUT/run.json at the end: `export.py` turns
them into a model directory. See README.md here for the whole recipe.
"""

import argparse
import json
import math
import random
import re
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from corpora.examples import TAGS, examples
from corpora.features import load_tokenizer
from corpora.readers import DATASETS, EXTRA, TokenRows, read_extra, read_statements, rows, sha256, training_file
from model.coreference import loss as loss_of_cases
from model.coreference_examples import CoreferenceCorpus
from model import distillation
from model import evaluate
from model.network import Network, load_model

LINK_WEIGHT = 0.3
COREFERENCE_WEIGHT = 0.2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True, help="directory with model.safetensors, config.json, tokenizer.json")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
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
    parser.add_argument("--coreference", help="directory of coreference_data.py: the encoder learns from these too")
    parser.add_argument("--coreference-share", type=float, default=1.0, help="of what is seen of those in one epoch")
    parser.add_argument("--extra", action="append", default=[], metavar="FILE",
                        help="statements of your own besides, such as the page downloads (docs/annotations.md)")
    parser.add_argument("--teacher", action="append", default=[],
                        help="model directory whose scores are learned beside the annotation; of several the mean")
    parser.add_argument("--taught", action="append", default=[], choices=sorted(TAGS),
                        help="only this tag head learns from the teacher, on windows that are not annotated for it")
    parser.add_argument("--states", type=float, default=0.0, metavar="WEIGHT",
                        help="of a loss that keeps the states near those of a single teacher of the same width")
    parser.add_argument("--start-from", help="model directory to start from instead of the encoder alone")
    parser.add_argument("--evaluate-every", type=int, default=1, help="epochs between evaluations on the dev files")
    parser.add_argument("--stop-after", type=int, help="stop after so many steps (for timing)")
    options = parser.parse_args()
    if options.taught and not options.teacher:
        parser.error("--taught needs a --teacher")
    if options.states and len(options.teacher) != 1:
        parser.error("--states needs one --teacher")
    return options


def corpora(data, without, extra=()):
    """Readers of the training files: name -> function(rng) -> documents; and the files' hashes.

    What is `extra` is seen whole in every epoch."""
    readers, files = {}, {}
    for name, (stem, head, _) in DATASETS.items():
        if name in without:
            continue
        path = training_file(data, stem)
        files[path.name] = sha256(path)
        if head == "statement":
            documents = read_statements(path)
            readers[name] = lambda rng, documents=documents: documents
            continue
        corrections = Path(data) / f"{stem}_train_corrections.jsonl"
        if corrections.exists():
            files[corrections.name] = sha256(corrections)
        corpus = TokenRows(path, head, corrections if corrections.exists() else None)
        readers[name] = lambda rng, corpus=corpus: corpus.documents(0.5, rng)
    for path in extra:
        documents = read_extra(path)
        files[EXTRA + Path(path).name] = sha256(path)
        readers[path] = lambda rng, documents=documents: documents
    return readers, files


def shares_of(text):
    return {k: float(v) for k, v in (part.split("=") for part in text.split(",") if part)}


def epoch_batches(readers, shares, changed, coreference, coreference_share, tokenizer, cache, size, seed, epoch):
    """All batches of one epoch, the same for the same seed: windows of like length together, batches shuffled."""
    rng = random.Random(f"{seed}/{epoch}")
    pool = []
    for name, read in readers.items():
        documents = read(rng)
        if shares.get(name, 1) < 1:
            order = random.Random(f"{seed}/{name}").sample(range(len(documents)), len(documents))
            take = math.ceil(shares[name] * len(documents))
            documents = [documents[order[(epoch * take + k) % len(documents)]] for k in range(take)]
        pool += examples(documents, tokenizer, rng, cache if name == "polnear" else None,
                         *(of.get(name, 0.0) for of in changed))
    if coreference:
        pool += coreference.examples(rng, coreference_share)
    rng.shuffle(pool)
    batches = []
    for i in range(0, len(pool), size * 20):
        group = sorted(pool[i:i + size * 20], key=lambda e: len(e.ids))
        batches += [group[k:k + size] for k in range(0, len(group), size)]
    rng.shuffle(batches)
    return batches


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


def batch_loss(network, batch, teacher=None, states_weight=0.0):
    ids, shapes, gaps, lengths = evaluate.collate(batch)
    states = network.encode(ids, shapes, gaps, lengths)
    total, parts = states.new_zeros(()), {}
    if teacher:
        looked = teacher.encode(ids, evaluate.padded([e.plain_shapes for e in batch]), gaps, lengths)
        loss = teacher.tag_loss(network, states, looked, lengths, batch)
        total = total + distillation.WEIGHT * loss
        parts["teacher"] = loss.item()
        if states_weight:
            loss = distillation.state_loss(states, looked[0], lengths)
            total = total + states_weight * loss
            parts["states"] = loss.item()
    for head, module in network.heads.items():
        chosen = [k for k, e in enumerate(batch) if e.head == head]
        if not chosen:
            continue
        group = [batch[k] for k in chosen]
        inner = lengths[chosen] - 2
        t = int(inner.max())
        tags = torch.zeros(len(group), t, dtype=torch.long)
        borders = torch.zeros(len(group), t, dtype=torch.bool)
        for row, e in enumerate(group):
            tags[row, :len(e.tags)] = torch.tensor(e.tags)
            borders[row, :len(e.tags)] = torch.tensor(e.borders)
        loss = module.loss(states[chosen, 1:t + 1], tags, borders, inner)
        share = len(group) / len(batch)
        total = total + share * loss
        parts[head] = loss.item()
        if head == "statement":
            linked = [k for k in chosen if batch[k].links]
            if linked:
                losses = [network.link_loss(states[k], batch[k].spans, batch[k].links) for k in linked]
                if teacher and not teacher.taught:
                    seen = {k: [of_one[k] for of_one in looked] for k in linked}
                    losses += [distillation.WEIGHT * teacher.link_loss(network, states[k], seen[k], batch[k].spans)
                               for k in linked]
                loss = sum(losses) / len(linked)
                total = total + LINK_WEIGHT * share * loss
                parts["links"] = loss.item()
    chosen = [k for k, e in enumerate(batch) if e.head == "coreference"]
    if chosen:
        losses, anaphors = zip(*(coreference_loss(network.coreference, states[k], batch[k]) for k in chosen))
        loss = sum(losses) / max(1, sum(anaphors))
        total = total + COREFERENCE_WEIGHT * len(chosen) / len(batch) * loss
        parts["coreference"] = loss.item()
    return total, parts, int(lengths.sum())


def coreference_loss(head, states, example):
    """Sum of a window's losses and their number. states [t, h]"""
    first, last = torch.tensor(list(example.places.values())).T
    rows = {mention: row for row, mention in enumerate(example.places)}
    return loss_of_cases(head, head.vectors(states[first], states[last]), example.mentions, example.cases, rows)


def dev_scores(network, tokenizer, data, tools):
    """Scores on the dev files; the entity sets are cut to their first 60 documents to save time."""
    scores = {}
    gold_path = Path(data) / "polnear.dev.jsonl"
    documents = read_statements(gold_path)
    found = evaluate.predict(network, examples(documents, tokenizer), documents)
    if tools:
        gold = [{"id": r["id"], "text": r["text"], "attributions": r["attributions"]} for r in rows(gold_path)]
        scores = evaluate.statement_scores(found, gold, tools)
    for name in ("en_worldwide", "conll2003"):
        stem, head, _ = DATASETS[name]
        documents = TokenRows(Path(data) / f"{stem}.dev.jsonl", head).documents()[:60]
        scores[name] = evaluate.entity_f1(evaluate.predict(network, examples(documents, tokenizer), documents))
    return scores


def main():
    options = arguments()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    encoder = Path(options.encoder)
    tokenizer = load_tokenizer(encoder / "tokenizer.json")
    config = json.loads((encoder / "config.json").read_text())
    shares, changed = shares_of(options.shares), (shares_of(options.perturbed), shares_of(options.recased))
    coreference = CoreferenceCorpus(options.coreference, tokenizer) if options.coreference else None

    network = Network(config, options.dropout)
    if options.start_from:
        load_model(network, Path(options.start_from))
        network.encoder.knows_caseless = True
    else:
        prefix = network.architecture + "."
        pretrained = {prefix + k.removeprefix(prefix): v for k, v in load_file(encoder / "model.safetensors").items()}
        missing, _ = network.load_state_dict(pretrained, strict=False)
        unexpected = [k for k in missing if not is_fresh(network, k)]
        if unexpected:
            raise SystemExit(f"{encoder}: the encoder lacks {unexpected}")
    network.bfloat16 = options.bfloat16
    teacher = None
    if options.teacher:
        teacher = distillation.Teacher(options.teacher, tokenizer, options.taught, options.bfloat16)

    optimiser = torch.optim.AdamW(parameter_groups(network, options), weight_decay=0.01, fused=True)

    readers, files = corpora(options.data, options.without, options.extra)
    cache = {}
    plan = lambda epoch: epoch_batches(
        readers, shares, changed, coreference, options.coreference_share, tokenizer, cache, options.batch, options.seed, epoch)
    batches = plan(0)
    steps = options.epochs * len(batches)
    # Epochs differ by a batch or two; the schedule counts the first one's.
    warm = 0.1 * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: s / warm if s < warm else max(0.0, (steps - s) / (steps - warm)))
    print(f"{steps} steps, {sum(len(e.ids) for b in batches for e in b)} tokens an epoch", flush=True)

    state = {"epoch": 0, "batch": 0, "seconds": 0.0, "history": []}
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=False)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        torch.set_rng_state(saved["random"])
        state = saved["state"]
        print(f"resumed at epoch {state['epoch']} batch {state['batch']}", flush=True)

    def save():
        beside = checkpoint.with_suffix(".tmp")
        torch.save({"network": network.state_dict(), "optimiser": optimiser.state_dict(), "state": state,
                    "schedule": schedule.state_dict(), "random": torch.get_rng_state()}, beside)
        beside.replace(checkpoint)

    done = 0
    while state["epoch"] < options.epochs:
        epoch = state["epoch"]
        batches = plan(epoch) if epoch else batches
        network.train()
        began, tokens, sums, counted = time.time(), 0, {}, 0
        last_save = time.time()
        while state["batch"] < len(batches):
            loss, parts, n = batch_loss(network, batches[state["batch"]], teacher, options.states)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            state["batch"] += 1
            done += 1
            tokens += n
            counted += 1
            for k, v in parts.items():
                a, b = sums.get(k, (0.0, 0))
                sums[k] = a + v, b + 1
            if counted == 20:
                means = " ".join(f"{k} {a / b:.4f}" for k, (a, b) in sums.items())
                print(f"epoch {epoch} {state['batch']}/{len(batches)} {means} tok/s {tokens / (time.time() - began):.0f}", flush=True)
                sums, counted = {}, 0
            if options.stop_after and done >= options.stop_after:
                return
            if time.time() - last_save > 300:
                state["seconds"] += time.time() - last_save
                save()
                last_save = time.time()
        state["seconds"] += time.time() - last_save
        state["epoch"], state["batch"] = epoch + 1, 0
        if state["epoch"] % options.evaluate_every == 0 or state["epoch"] == options.epochs:
            scores = dev_scores(network, tokenizer, options.data, options.tools)
            state["history"].append({"epoch": epoch + 1, **scores})
            print("EPOCH", epoch + 1, json.dumps(scores), flush=True)
        save()
    torch.save(network.state_dict(), out / "network.pt")
    (out / "run.json").write_text(json.dumps({
        "options": vars(options), "files": files, "seconds": round(state["seconds"]), "steps": steps,
        "history": state["history"], "torch": torch.__version__}, indent=1))


if __name__ == "__main__":
    main()
