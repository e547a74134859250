"""Records what PyTorch makes of a few windows with the exported weights, for tests/parity.rs: parity.json.

A model in eight bits is read as the values that its steps and scales stand for (model/eight_bits.py).
"""

import argparse
import json
from pathlib import Path

import torch

from corpora.features import load_tokenizer, special_tokens, tokenise, windows
from corpora.mention_classes import CLASSES
from corpora.antecedents import TABLES
from model.coreference import Coreference
from model.eight_bits import load_weights
from model.network import Network, load_model

ARTICLES = Path(__file__).resolve().parents[3] / "tests/fixtures/articles"

# article, how many characters of it, and how they are typed: a long window, a middling one with odd characters, a short one, two
# in which capitals tell nothing
PASSAGES = (("harbour.txt", 1000, str), ("border.txt", 500, str), ("spokesman.txt", 120, str),
            ("spokesman.txt", 300, str.lower), ("harbour.txt", 200, str.upper))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--articles", type=Path, default=ARTICLES)
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()

    config = json.loads((options.model / "config.json").read_text())
    network = Network(config["encoder"])
    # The network's own coreference head is there for training only: the scorers are loaded below.
    load_model(network, options.model)
    network.eval()
    weights = load_weights(options.model)
    scorers = [scorer(weights, number, config) for number in range(config.get("coreference", {}).get("scorers", 0))]
    tokenizer = load_tokenizer(options.model / "tokenizer.json")

    recorded = []
    for name, length, typed in PASSAGES:
        with open(options.articles / name, encoding="utf-8", newline="") as file:
            text = typed(file.read()[:length])
        tokens = tokenise(tokenizer, text)
        start, end = windows(tokens, text)[0]
        # the passage is cut where the window ends, so that a reader of the fixture sees all that was read
        text = text[:tokens.offsets[end - 1][1]]
        tokens = tokenise(tokenizer, text)
        recorded.append(record(network, scorers, tokenizer, text, tokens))
    result = {"weights": config["weights_sha256"], "windows": recorded}
    options.to.mkdir(parents=True, exist_ok=True)
    (options.to / "parity.json").write_text(json.dumps(result, ensure_ascii=False) + "\n")


def rounded(tensor):
    return [[round(x, 5) for x in row] for row in tensor.tolist()]


def scorer(weights, number, config):
    prefix = f"coreference.{number}."
    head = Coreference(config["encoder"]["hidden_size"])
    head.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
    return head.eval()


def references(scorers, states):
    """Scores of pairs of mentions, given by their first and last tokens, with one row or another of each table."""
    out, n = [], len(states)
    for k in range(4):
        anaphor, candidate = (n - 1 - k, n - 1 - k), (k, min(n - 1, 2 * k))
        features = [(5 * k + 1) % size for size in TABLES.values()]
        kind, source = (7 * k + 3) % len(CLASSES), k % 2
        score = nobody = 0.0
        for head in scorers:
            vectors = head.vectors(states[[anaphor[0], candidate[0]]], states[[anaphor[1], candidate[1]]])
            pair = head.pairs(vectors, torch.tensor([0]), torch.tensor([1]), torch.tensor([features]))
            score += pair.item() / len(scorers)
            nobody += head.none(vectors[:1], torch.tensor([kind]), torch.tensor([source])).item() / len(scorers)
        out.append({"anaphor": anaphor, "candidate": candidate, "features": features, "class": kind,
                    "is_source": bool(source), "score": round(score, 5), "nobody": round(nobody, 5)})
    return out


@torch.no_grad()
def record(network, scorers, tokenizer, text, tokens):
    cls, sep = special_tokens(tokenizer)
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
            "references": references(scorers, states),
            "scores": {head: rounded(module.classifier(states)) for head, module in network.heads.items()}}


if __name__ == "__main__":
    main()
