#!/usr/bin/env python3
"""Scores the coreference head by itself: GAP dev, and PolNeAR's pronouns and descriptions beside a rule.

    speakers.py --model models/onrecord-small --mentions DIR --data DATA --tools TOOLS

DIR is what `scripts/train/coreference_data.py --dev` wrote. GAP (Webster et al. 2018): F1 over the two names of each
example, where a name is chosen if it is the most probable and more probable than nobody. The rule is the nearest person
before a pronoun whose gender does not contradict it, and for "it" and "they" the nearest name.
`onrecord eval statements --speakers` gives the scores of whole statements. PyTorch; see scripts/train/requirements.txt.
"""

import argparse
import json
import random
import re
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from corpora.mention_classes import CLASSES, HE, NAMES, SHE  # noqa: E402
from corpora.antecedents import ANAPHORS, COMPATIBLE  # noqa: E402
from model.coreference import Coreference, load, resolve  # noqa: E402
from model.eight_bits import load_weights  # noqa: E402


# What a description of somebody who is known by then begins with (src/decode/speakers/attribution.rs).
KNOWN = re.compile(r"\W*(the|this|that|who|which)\b", re.IGNORECASE)


class Scorers:
    """The scorers of a model, averaged, under the names that `resolve` calls."""

    def __init__(self, model):
        config = json.loads((model / "config.json").read_text())
        weights = load_weights(model)
        self.given = {kind: names.split() for kind, names in config["coreference"]["given_names"].items()}
        self.width, self.heads = config["coreference"]["width"], []
        for number in range(config["coreference"]["scorers"]):
            head, prefix = Coreference(config["encoder"]["hidden_size"]), f"coreference.{number}."
            head.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
            self.heads.append(head.eval())

    def average(self, vectors, score):
        return sum(score(h, v) for h, v in zip(self.heads, vectors.split(self.width, -1))) / len(self.heads)

    def vectors(self, first, last):
        return torch.cat([head.vectors(first.float(), last.float()) for head in self.heads], -1)

    def pairs(self, vectors, left, right, features):
        return self.average(vectors, lambda head, own: head.pairs(own, left, right, features))

    def none(self, vectors, classes, sources):
        return self.average(vectors, lambda head, own: head.none(own, classes, sources))


def chosen(guesses, least=1.0):
    best = max(guesses, key=guesses.get, default=None)
    return best if best is not None and guesses[best] > least * (1 - sum(guesses.values())) else None


def by_rule(mentions, i):
    me = mentions[i]
    opposite = {HE: CLASSES.index("woman"), SHE: CLASSES.index("man")}.get(me["class"])
    return next((m["name"] for m in reversed(mentions[:i])
                 if m["class"] in NAMES and m["class"] in COMPATIBLE[me["class"]] and m["class"] != opposite), None)


def gap_f1(rows):
    right = found = gold = 0
    for name, document in rows:
        for letter in "AB":
            said, true = name in document[letter], document["entity"] == letter
            right, found, gold = right + (said and true), found + said, gold + true
    return 200 * right / max(1, found + gold)


def interval(rows, score, seed=1):
    rng = random.Random(seed)
    values = sorted(score(rng.choices(rows, k=len(rows))) for _ in range(1000))
    return f"{score(rows):.1f} [{values[25]:.1f}, {values[974]:.1f}]"


def share(rows):
    return 100 * sum(rows) / max(1, len(rows))


def arguments(description):
    """Where model, mentions, data and scorers are; the scorers can be imported from then on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--mentions", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--tools", required=True, type=Path, help="directory of score_attributions.py")
    options = parser.parse_args()
    sys.path.insert(0, str(options.tools))
    return options


@torch.no_grad()
def main():
    options = arguments(__doc__)
    from score_attributions import plain
    scorers = Scorers(options.model)

    rows = []
    for document, (first, last) in load(options.mentions / "gap", scorers.given):
        guesses = resolve(scorers, scorers.vectors(first, last), document["mentions"])
        rows.append((chosen(guesses[document["pronoun"]]), document))
    print("GAP dev F1, with 95 % bootstrap intervals:", interval(rows, gap_f1))
    for name, feminine in (("feminine", True), ("masculine", False)):
        print(f"  {name}:", interval([r for r in rows if r[1]["feminine"] == feminine], gap_f1))

    with open(options.data / "polnear.dev.jsonl", encoding="utf-8") as lines:
        gold = {d["id"]: d for d in map(json.loads, lines)}
    annotated = {}
    with open(options.data / "polnear_speakers.dev.jsonl", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            annotated.setdefault(row["doc"], []).append(row)
    results = {}
    for document, (first, last) in load(options.mentions / "polnear", scorers.given):
        mentions = document["mentions"]
        guesses = resolve(scorers, scorers.vectors(first, last), mentions) if document["id"] in annotated else {}
        forms = {}
        for m in mentions:
            forms.setdefault(m["name"], []).append(plain(document["text"][m["start"]:m["end"]]))
        for row in annotated.get(document["id"], ()):
            source = gold[document["id"]]["attributions"][row["index"]]["source"]
            at = next((i for i in guesses if mentions[i]["source"] is not None and mentions[i]["class"] in ANAPHORS
                       and any(s < mentions[i]["end"] and mentions[i]["start"] < e for s, e in source)), None)
            if at is None or row["form"] not in ("pronoun", "nominal"):
                continue
            words = document["text"][mentions[at]["start"]:mentions[at]["end"]]
            # The limits of src/decode/speakers/attribution.rs, where a description of somebody new means nobody.
            least = 0.2
            if CLASSES[mentions[at]["class"]] in ("nominal", "definite"):
                least = 1.0 if KNOWN.match(words) else float("inf")
            aliases = {plain(alias) for alias in row["aliases"]}
            for who, name in (("learned", chosen(guesses[at], least)), ("rule", by_rule(mentions, at))):
                right = name is None if row["speaker"] is None else bool(aliases & set(forms.get(name, ())) and name is not None)
                form = row["form"] if row["speaker"] else f"{row['form']} of nobody named"
                results.setdefault((form, who), []).append(right)
    print("PolNeAR dev, sources that were found, share that is right, with 95 % bootstrap intervals:")
    for (form, who), rows in sorted(results.items()):
        print(f"  {form}, {who}: {interval(rows, share)} of {len(rows)}")


if __name__ == "__main__":
    main()
