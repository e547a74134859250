"""Trains the coreference heads on a finished encoder, and puts them into a copy of its model directory.

From the mentions of `mentions.py` with the encoder's states, so that no encoder runs here and an epoch takes a minute. Tags,
links and the encoder stay as they are, to the bit.
"""

import argparse
import json
import random
import shutil
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from corpora.mention_classes import CLASSES
from corpora.readers import sha256
from model.coreference import HIDDEN, WIDTH, Coreference, cases, load, loss

# corpus -> times a document is seen in an epoch
SHARES = {"gum": 3, "gap": 2, "litbank": 1, "parcorfull": 2, "polnear": 1, "worldwide": 1}
LICENCES = {
    "gum_coref.train.jsonl": "annotation CC BY 4.0; texts CC BY 2.5, CC BY 4.0 and CC BY-SA 3.0 (the genres used)",
    "gap.train.jsonl": "Apache-2.0; text Wikipedia, CC BY-SA",
    "litbank.jsonl": "CC BY 4.0; texts in the public domain",
    "parcorfull_news.jsonl": "licence not stated",
}
RATE, DROPOUT, DECAY, DOCUMENTS, ANAPHORS = 1e-3, 0.3, 0.05, 4, 40


def train(documents, hidden, epochs, seed):
    """`documents`: (document, cases, (first, last) states). Returns the head."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    head = Coreference(hidden)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    drop = torch.nn.Dropout(DROPOUT)
    steps = epochs * -(-len(documents) // DOCUMENTS)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, step / 100) * max(0.02, 1 - step / steps))
    for epoch in range(epochs):
        rng.shuffle(documents)
        began, total, count = time.time(), 0.0, 0
        for at in range(0, len(documents), DOCUMENTS):
            sum_of_losses, anaphors = 0, 0
            for document, chosen, (first, last) in documents[at:at + DOCUMENTS]:
                chosen = rng.sample(chosen, min(len(chosen), ANAPHORS))
                vectors = head.vectors(drop(first.float()), drop(last.float()))
                value, n = loss(head, vectors, document["mentions"], chosen, {j: j for j in range(len(vectors))})
                sum_of_losses, anaphors = sum_of_losses + value, anaphors + n
            if anaphors:
                optimiser.zero_grad()
                (sum_of_losses / anaphors).backward()
                torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
                optimiser.step()
                total, count = total + sum_of_losses.item(), count + anaphors
            schedule.step()
        print(f"epoch {epoch + 1}: loss {total / count:.4f}, {count} anaphors, {time.time() - began:.0f} s", flush=True)
    return head.eval()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--to", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path, help="directory of the corpora, for their hashes in config.json")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--scorers", type=int, default=4, help="heads, of one seed after another, that are averaged")
    parser.add_argument("--seed", type=int, default=1)
    # Such small products gain nothing by a second thread, and lose much where another program runs.
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def training_documents(mentions, given):
    """(document, cases, states) of all corpora, as often as each is seen in an epoch."""
    documents = []
    for name, share in SHARES.items():
        if (mentions / f"{name}.jsonl").exists():
            read = [(d, c, s) for d, s in load(mentions / name, given) for c in [cases(d)] if c]
            print(f"{name}: {len(read)} documents, {sum(len(c) for _, c, _ in read)} anaphors", flush=True)
            documents += read * share
    return documents


def write_model(model, config, heads, to):
    """The model with these heads in place of its own."""
    weights = {k: v for k, v in load_file(model / "model.safetensors").items() if not k.startswith("coreference.")}
    for number, head in enumerate(heads):
        weights |= {f"coreference.{number}.{k}": v.to(torch.float16).contiguous() for k, v in head.state_dict().items()}
    to.mkdir(parents=True, exist_ok=True)
    save_file(dict(sorted(weights.items())), to / "model.safetensors")
    (to / "model.safetensors").chmod(0o644)
    shutil.copyfile(model / "tokenizer.json", to / "tokenizer.json")
    config["weights_sha256"] = sha256(to / "model.safetensors")
    # It comes last: it says that the model is there.
    (to / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    given = json.loads((options.mentions / "given_names.json").read_text())
    config = json.loads((options.model / "config.json").read_text())
    documents = training_documents(options.mentions, given)
    heads = [train(documents, config["encoder"]["hidden_size"], options.epochs, options.seed + k)
             for k in range(options.scorers)]
    config["coreference"] = {"scorers": len(heads), "width": WIDTH, "hidden": HIDDEN, "classes": CLASSES,
                             "given_names": {kind: " ".join(names) for kind, names in given.items()}}
    known = {entry["file"] for entry in config["training_data"]}
    for file, licence in LICENCES.items():
        if file not in known and (options.data / file).exists():
            config["training_data"].append({"name": file.split(".")[0], "file": file,
                                            "sha256": sha256(options.data / file), "licence": licence})
    write_model(options.model, config, heads, options.to)


if __name__ == "__main__":
    main()
