#!/usr/bin/env python3
"""Cross-fits the numbers that the resolver of speakers takes for pronouns: how much more probable than nobody a name must be,
and what whoever spoke last gains (LIKELY in src/decode/speakers/attribution.rs, SPOKE_LAST in src/decode/speakers/resolve.rs).

    speaker_limits.py --model models/onrecord-small --mentions DIR --data DATA --tools TOOLS

DIR is what `scripts/train/coreference_data.py --dev` wrote. The 24 dev articles with annotated speakers are split in two
halves; each half is scored with the pair of numbers that is best on the other (of equals the one nearest to what ships).
Of pronouns that are sources which were found: right is the right name, and nobody where the article names nobody.
"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from speakers import Scorers, arguments, chosen  # noqa: E402
from corpora.antecedents import ANAPHORS, SPOKE_LAST  # noqa: E402
from model.coreference import load, resolve  # noqa: E402
from corpora.mention_classes import CLASSES  # noqa: E402

LIKELY = 0.2
LIMITS, GAINS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0), (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
DESCRIPTIONS = tuple(CLASSES.index(name) for name in ("nominal", "definite"))


def results(options):
    """{(limit, gain): {document: [whether right]}}"""
    from score_attributions import plain
    read = lambda name: map(json.loads, open(options.data / name, encoding="utf-8"))
    gold, annotated, scorers, out = {d["id"]: d for d in read("polnear.dev.jsonl")}, {}, Scorers(options.model), {}
    for row in read("polnear_speakers.dev.jsonl"):
        annotated.setdefault(row["doc"], []).append(row)
    for document, (first, last) in load(options.mentions / "polnear", scorers.given):
        rows, mentions, text = annotated.get(document["id"], ()), document["mentions"], document["text"]
        pronouns = [i for i, m in enumerate(mentions)
                    if m["source"] is not None and m["class"] in ANAPHORS and m["class"] not in DESCRIPTIONS]
        forms, asked = {}, []
        for m in mentions:
            forms.setdefault(m["name"], set()).add(plain(text[m["start"]:m["end"]]))
        for row in rows:
            source = gold[document["id"]]["attributions"][row["index"]]["source"]
            at = next((i for i in pronouns if any(s < mentions[i]["end"] and mentions[i]["start"] < e for s, e in source)), None)
            if row["form"] == "pronoun" and at is not None:
                asked.append((at, {plain(alias) for alias in row["aliases"]} if row["speaker"] else None))
        vectors = scorers.vectors(first, last) if asked else None
        for gain in GAINS if asked else ():
            guesses = resolve(scorers, vectors, mentions, gain)
            for limit in LIMITS:
                names = [(chosen(guesses[at], limit), aliases) for at, aliases in asked]
                right = [name is None if aliases is None else name is not None and bool(aliases & forms[name])
                         for name, aliases in names]
                out.setdefault((limit, gain), {})[document["id"]] = right
    return out


def share(found, documents):
    rows = [right for document in documents for right in found[document]]
    return sum(rows), len(rows)


@torch.no_grad()
def main():
    found = results(arguments(__doc__))
    shipped = (LIKELY, SPOKE_LAST)
    documents = sorted(found[shipped])
    nearness = lambda pair: -abs(pair[0] - shipped[0]) - abs(pair[1] - shipped[1])
    crossed = [0, 0]
    for half, other in ((documents[::2], documents[1::2]), (documents[1::2], documents[::2])):
        best = max(found, key=lambda pair: (share(found[pair], half), nearness(pair)))
        right, all_of = share(found[best], other)
        crossed = [crossed[0] + right, crossed[1] + all_of]
        print(f"one half chooses limit {best[0]} and gain {best[1]} ({share(found[best], half)}); the other scores {right} of {all_of}")
    print(f"cross-fitted: {crossed[0]} of {crossed[1]}, {100 * crossed[0] / crossed[1]:.1f} %")
    for pair in (shipped, (LIKELY, 0.0)):
        right, all_of = share(found[pair], documents)
        print(f"limit {pair[0]} and gain {pair[1]} on all: {right} of {all_of}, {100 * right / all_of:.1f} %")


if __name__ == "__main__":
    main()
