#!/usr/bin/env python3
"""Records what PyTorch makes of a few windows with the exported weights, for tests/parity.rs.

    parity.py --model models/onrecord-small --articles tests/fixtures/articles --to tests/fixtures/parity.json
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from features import load_tokenizer, tokenise, windows
from network import Network

# article and how many characters of it: a long window, a middling one with odd characters, a short one
PASSAGES = (("harbour.txt", 1000), ("border.txt", 500), ("spokesman.txt", 120))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--articles", required=True, type=Path)
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()

    config = json.loads((options.model / "config.json").read_text())
    network = Network(config["encoder"])
    network.load_state_dict({k: v.float() for k, v in load_file(options.model / "model.safetensors").items()})
    network.eval()
    tokenizer = load_tokenizer(options.model / "tokenizer.json")
    digest = hashlib.sha256((options.model / "model.safetensors").read_bytes()).hexdigest()

    recorded = []
    for name, length in PASSAGES:
        with open(options.articles / name, encoding="utf-8", newline="") as file:
            text = file.read()[:length]
        tokens = tokenise(tokenizer, text)
        start, end = windows(tokens, text)[0]
        # the passage is cut where the window ends, so that a reader of the fixture sees all that was read
        text = text[:tokens.offsets[end - 1][1]]
        tokens = tokenise(tokenizer, text)
        recorded.append(record(network, tokenizer, text, tokens))
    result = {"model": f"{config['name']}@{digest[:12]}", "windows": recorded}
    options.to.write_text(json.dumps(result, ensure_ascii=False) + "\n")


def rounded(tensor):
    return [[round(x, 5) for x in row] for row in tensor.tolist()]


@torch.no_grad()
def record(network, tokenizer, text, tokens):
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    wrap = lambda values, first, last: torch.tensor([[first, *values, last]])
    n = len(tokens.ids)
    states = network.encode(wrap(tokens.ids, cls, sep), wrap(tokens.shapes, 0, 0), wrap(tokens.gaps, 0, 0),
                            torch.tensor([n + 2]))[0, 1:-1]
    links = []
    for span, cue in (((0, 3), (n // 2, n // 2)), ((n // 3, n - 1), (5, 6)), ((n - 4, n - 2), (n - 9, n - 8))):
        spans = [("content", *span), ("source", *span), ("cue", *cue)]
        _, _, content, none = network.link_scores(states, spans, "content")
        _, _, source, _ = network.link_scores(states, spans, "source")
        links.append({"span": span, "cue": cue, "content": round(content.item(), 5), "none": round(none.item(), 5),
                      "source": round(source.item(), 5)})
    return {"text": text, "ids": tokens.ids, "shapes": tokens.shapes, "gaps": tokens.gaps, "links": links,
            "scores": {head: rounded(module.classifier(states)) for head, module in network.heads.items()}}


if __name__ == "__main__":
    main()
