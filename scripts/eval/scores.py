#!/usr/bin/env python3
"""Calibrates the scores of entities, segments and statements, and says how well they are calibrated, cross-fitted.

    scores.py --data DATA --tools TOOLS --onrecord target/release/onrecord --model models/onrecord-small [--write]

Each dev set's documents are split in two halves, five times, at random; each half is scored with the calibration (calibration.py)
that was fitted on the other. What a score is the probability of: that an entity's borders and label are right, a segment's
borders, or a statement's source, cue and content all together (strict). Also printed: precision and recall of statements
(lenient, as score_attributions.py has it) above each --min-score. With --write the calibrations that are fitted on all
documents go into the model's config.json. Standard library only.
"""

import json
import random
import sys

from calibration import bins, calibrated, error, fitted, in_config
from polnear import ROLES, compared, extracted, is_lenient, parser

BINS = 15
SPLITS = 5
ENTITY_SETS = {"conll4": "conll2003.dev.jsonl", "news9": "en_worldwide.dev.jsonl"}


def entity_rows(options, scheme):
    """Document -> (score, whether borders and label are right) of each entity."""
    from score_entities import WORLDWIDE, documents
    gold = list(documents(options.data / ENTITY_SETS[scheme]))
    found = extracted(options, [(name, text) for name, text, *_ in gold], "--entity-scheme", scheme)
    names, rows = WORLDWIDE if scheme == "news9" else {}, {}
    for name, _, tokens, entities in gold:
        right = {(names.get(label, label), first, end) for label, first, end in entities}
        rows[name] = []
        for entity in found[name]["entities"]:
            touched = [k for k, (start, end) in enumerate(tokens) if start < entity["end"] and entity["start"] < end]
            is_right = bool(touched) and (entity["label"], touched[0], touched[-1] + 1) in right
            rows[name].append((entity["score"], is_right))
    return rows


def statement_rows(options):
    """For each role, and for statements: document -> (score, whether it is right to the letter), for a role's segments with their
    number of words. Then the statements' (score, whether it is right, leniently), and how many there should be."""
    from score_attributions import normalise
    rows, lenient, number = {what: {} for what in (*ROLES, "statements")}, [], 0
    for document, expected, statements, offered, partners in compared(options):
        name = document["id"]
        whole = {tuple(e[r] for r in ROLES) for e in expected}
        rows["statements"][name] = [(s["score"], tuple(o[r] for r in ROLES) in whole) for s, o in zip(statements, offered)]
        for role in ROLES:
            right = {segment for e in expected for segment in e[role]}
            # A segment that several statements share counts once.
            segments = {normalise(document["text"], [[x["start"], x["end"]]]): x for s in statements for x in s[role]}
            rows[role][name] = [(x["score"], segment[0] in right, len(x["text"].split())) for segment, x in segments.items() if segment]
        for place, (statement, o) in enumerate(zip(statements, offered)):
            lenient.append((statement["score"], place in partners and is_lenient(expected[partners[place]], o)))
        number += len(expected)
    return rows, lenient, number


def all_rows(options):
    """As `statement_rows`, with the entities' tables among the others."""
    tables, lenient, number = statement_rows(options)
    return tables | {scheme: entity_rows(options, scheme) for scheme in ENTITY_SETS}, lenient, number


def crossed(rows, seed):
    """All scores, those of each half of the documents by the calibration of the other."""
    names = sorted(rows)
    random.Random(seed).shuffle(names)
    scored = []
    for own, other in ((0, 1), (1, 0)):
        calibration = fitted([row for name in names[other::2] for row in rows[name]])
        scored += [(calibrated(score, calibration, *words), right) for name in names[own::2] for score, right, *words in rows[name]]
    return scored


def chance(scored, seed):
    """The error that this many scores would show if each were the very probability that it says."""
    dice = random.Random(seed)
    return error([(score, dice.random() < score) for score, _ in scored], BINS)


def main():
    flags = parser(__doc__)
    flags.add_argument("--write", action="store_true", help="put the calibrations into the model's config.json")
    options = flags.parse_args()
    sys.path.insert(0, str(options.tools))
    path = options.model / "config.json"
    config = json.loads(path.read_text())
    if "scores" in config:
        raise SystemExit(f"{path} has calibrations already: take \"scores\" out of it first")
    tables, lenient, number = all_rows(options)
    print("| score of | number | right | mean score | error as it is | cross-fitted | by chance alone |\n|---|---|---|---|---|---|---|")
    fits = {}
    for what, rows in tables.items():
        everything = [row for document in rows.values() for row in document]
        fits[what] = fitted(everything)
        splits = [crossed(rows, seed) for seed in range(SPLITS)]
        after = sum(error(scored, BINS) for scored in splits) / SPLITS
        luck = sum(chance(scored, seed) for seed, scored in enumerate(splits)) / SPLITS
        right, mean = (sum(row[k] for row in everything) / len(everything) for k in (1, 0))
        print(f"| {what} | {len(everything)} | {right:.3f} | {mean:.3f} | {error(everything, BINS):.3f} | {after:.3f} | {luck:.3f} |")
    print(f"\n(expected calibration error, {BINS} bins of equal size, means of {SPLITS} splits)")
    print("\nstatements, cross-fitted:\n\n| mean score | right |\n|---|---|")
    for part in bins(crossed(tables["statements"], 0), BINS):
        print(f"| {sum(s for s, _ in part) / len(part):.2f} | {sum(r for _, r in part) / len(part):.2f} of {len(part)} |")
    print("\n| --min-score | statements left | precision, lenient | recall, lenient |\n|---|---|---|---|")
    for tenths in range(10):
        left = [right for score, right in lenient if calibrated(score, fits["statements"]) >= tenths / 10]
        print(f"| {tenths / 10} | {len(left)} | {100 * sum(left) / max(1, len(left)):.1f} | {100 * sum(left) / number:.1f} |")
    if options.write:
        config["scores"] = {
            "entities": {scheme: in_config(fits[scheme]) for scheme in ENTITY_SETS},
            **{what: in_config(fits[what]) for what in (*ROLES, "statements")},
        }
        path.write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
