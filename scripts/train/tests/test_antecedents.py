"""Tests that training and the product mean the same by candidates, features and corrections.

To record `tests/fixtures/antecedents.json` anew, from what the product finds in the fixture articles:

    cargo run --release --example mentions -- /dev/null < ARTICLES.jsonl > MENTIONS.jsonl
    python3 -m tests.test_antecedents MENTIONS.jsonl

where ARTICLES.jsonl has a line {"id": ..., "text": ...} for each of `tests/fixtures/articles/*.txt`. The test beside
`src/decode/speakers/resolve.rs` reads the same file.
"""

import json
import math
import sys
import unittest
from pathlib import Path

from corpora.antecedents import ANAPHORS, candidates, corrections, pair_features

FIXTURE = Path(__file__).resolve().parents[3] / "tests/fixtures/antecedents.json"
# What is recorded of a mention: all that the functions look at.
KNOWN = ("first", "last", "class", "sentence", "paragraph", "source", "speaks", "content", "name", "frequency", "described")


def antecedents(mentions):
    """What is made of each anaphor. A correction of minus infinity is null in JSON."""
    found = []
    for i, mention in enumerate(mentions):
        if mention["class"] in ANAPHORS:
            chosen = candidates(mentions, i)
            added = [None if math.isinf(value) else value for value in corrections(mentions, i, chosen)]
            features = [list(row) for row in pair_features(mentions, i, chosen)]
            found.append({"anaphor": i, "candidates": chosen, "features": features, "corrections": added})
    return found


class Antecedents(unittest.TestCase):
    def test_they_are_those_of_the_product(self):
        documents = json.loads(FIXTURE.read_text())
        self.assertTrue(documents)
        for document in documents:
            self.assertEqual(antecedents(document["mentions"]), document["antecedents"], document["id"])


def record(lines):
    """The fixture from what `examples/mentions.rs` wrote."""
    documents = []
    for line in lines:
        document = json.loads(line)
        mentions = [{key: mention[key] for key in KNOWN if key in mention} for mention in document["mentions"]]
        documents.append({"id": document["id"], "mentions": mentions, "antecedents": antecedents(mentions)})
    rows = ",\n".join(json.dumps(document, separators=(",", ":")) for document in documents)
    FIXTURE.write_text(f"[{rows}]\n")


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        record(file)
