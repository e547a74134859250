#!/usr/bin/env python3
"""Scores the polarity of statements on GUM's attribution dev set: precision, recall and F1 of "negative".

    polarity.py --data DATA --onrecord target/release/onrecord

Gold attributions and predicted statements are matched one to one by the overlap of their contents, as in
score_attributions.py; what is not matched counts for nothing. No training set tells polarity here: the rule is
src/decode/statements/polarity.rs, and this file measures it. Standard library only.
"""

import argparse
import json
import subprocess
from pathlib import Path


def matched(gold, found):
    """Pairs of a gold attribution and a statement, best overlap first."""
    def tokens(spans):
        return {i for s, e in spans for i in range(s, e)}

    left = [tokens(a["content"]) for a in gold]
    right = [tokens([(s["start"], s["end"]) for s in st["content"]]) for st in found]
    pairs = sorted(((-len(a & b) / len(a | b), i, j) for i, a in enumerate(left) for j, b in enumerate(right) if a & b))
    used_left, used_right = set(), set()
    for _, i, j in pairs:
        if i not in used_left and j not in used_right:
            used_left.add(i)
            used_right.add(j)
            yield gold[i], found[j]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--onrecord", required=True)
    parser.add_argument("--show", action="store_true", help="print the statements that are wrong")
    options = parser.parse_args()
    with open(options.data / "gum_attribution.dev.jsonl", encoding="utf-8") as lines:
        gold = [json.loads(line) for line in lines]
    texts = "".join(json.dumps({"id": d["id"], "text": d["text"]}) + "\n" for d in gold)
    done = subprocess.run([options.onrecord, "extract", "--precision", "f32", "--input-format", "jsonl", "-"],
                          input=texts, capture_output=True, text=True, check=True)
    results = {r["id"]: r for r in map(json.loads, done.stdout.splitlines())}
    right = found = wanted = total = 0
    for document in gold:
        for attribution, statement in matched(document["attributions"], results[document["id"]]["statements"]):
            is_negative, says = attribution["polarity"] == "negative", statement["polarity"] == "negative"
            total, right = total + 1, right + (is_negative and says)
            found, wanted = found + says, wanted + is_negative
            if options.show and is_negative != says:
                cue = " … ".join(s["text"] for s in statement["cue"])
                print("missed:" if is_negative else "wrong: ", repr(cue), "|", statement["content"][0]["text"][:90])
    f1 = 200 * right / max(1, found + wanted)
    print(f"negative: precision {right} of {found}, recall {right} of {wanted}, F1 {f1:.1f}; {total} statements matched")


if __name__ == "__main__":
    main()
