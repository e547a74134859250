#!/usr/bin/env python3
"""What the decoder's choices are worth: PolNeAR dev scores of a model with one choice changed at a time.

    scripts/eval/decoding_choices.py MODEL DATA TOOLS     # in the environment of scripts/train/requirements.txt

    scripts/eval/decoding_choices.py models/onrecord-small ../shared/data ../shared/tools

A re-enactment of the Rust decoder with PyTorch, on windows without overlap and without links between paragraphs, so
its first line is near the shipped scores, not equal to them. It is for learning where errors come from: none of the
alternatives is fitted or shipped.
"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))

from corpora.examples import TAGS, examples
from corpora.features import load_tokenizer
from corpora.readers import bio_spans, read_statements, rows
from model import evaluate
from model.network import Network, load_model

LIKELY, POSSIBLE = 0.5, 0.1  # as in src/decode/statements/links.rs


def load(directory):
    config = json.loads((directory / "config.json").read_text())
    network = Network(config["encoder"])
    load_model(network, directory)
    network.eval()
    return network, load_tokenizer(directory / "tokenizer.json")


@torch.no_grad()
def encode(network, windows):
    """Each window with its states, special tokens included."""
    encoded = []
    for group in evaluate.batches(windows, 16):
        states = network.encode(*evaluate.collate(group))
        encoded += [(window, states[k, :len(window.ids)].clone()) for k, window in enumerate(group)]
    return encoded


@torch.no_grad()
def decode(network, encoded, documents, outside=0.0, by_paragraph=True, allow_none=True, possible=POSSIBLE):
    """Attributions per document. `outside` is taken off the O tag's score."""
    head, names = network.heads["statement"], TAGS["statement"]
    head.classifier.bias[0] -= outside
    out = [{"id": d.id, "text": d.text, "attributions": []} for d in documents]
    for window, states in encoded:
        tags = head.decode(states[1:-1], window.borders)
        spans = [(label, i + 1, j) for i, j, label in bio_spans([names[t] for t in tags])]
        paragraph = torch.tensor(window.borders).long().cumsum(0).tolist()

        def near(span, cue):
            return not by_paragraph or paragraph[spans[span][1] - 1] == paragraph[spans[cue][1] - 1]

        def characters(span):
            return [window.offsets[spans[span][1] - 1][0], window.offsets[spans[span][2] - 1][1]]

        found = {k: {"source": [], "cue": [characters(k)], "content": []} for k, s in enumerate(spans) if s[0] == "cue"}
        for role in ("content", "source"):
            scored = network.link_scores(states, spans, role)
            if not scored:
                continue
            chosen, cues, pairs, none = scored
            for row, span in enumerate(chosen):
                scores = {cue: float(pairs[row, k]) for k, cue in enumerate(cues) if near(span, cue)}
                if not scores:
                    continue
                best = max(scores, key=scores.get)
                if role == "content":
                    targets = [best] if not allow_none or scores[best] > float(none[row]) else []
                else:
                    sure = {cue: torch.sigmoid(torch.tensor(score)).item() for cue, score in scores.items()}
                    targets = [cue for cue in cues if sure.get(cue, 0) >= LIKELY]
                    targets = targets or [best] * (sure[best] >= possible)
                for cue in targets:
                    found[cue][role].append(characters(span))
        out[window.document]["attributions"] += [f for f in found.values() if f["content"]]
    head.classifier.bias[0] += outside
    return out


def main():
    model, data, tools = sys.argv[1:4] if len(sys.argv) == 4 else sys.exit(__doc__)
    network, tokenizer = load(Path(model))
    path = Path(data) / "polnear.dev.jsonl"
    documents = read_statements(path)
    gold = [{"id": r["id"], "text": r["text"], "attributions": r["attributions"]} for r in rows(path)]
    encoded = encode(network, examples(documents, tokenizer))
    for name, choices in (
        ("as shipped", {}),
        ("links anywhere in the window", {"by_paragraph": False}),
        ("every content takes its best cue", {"allow_none": False}),
        ("every source takes its best cue", {"possible": 0.0}),
        ("O tag 0.5 lower", {"outside": 0.5}),
        ("O tag 0.5 higher", {"outside": -0.5}),
    ):
        scores = evaluate.statement_scores(decode(network, encoded, documents, **choices), gold, tools)
        print(f"{name:34}", "  ".join(f"{key} {value:.2f}" for key, value in scores.items()), flush=True)


if __name__ == "__main__":
    main()
