#!/usr/bin/env python3
"""Calibrates the scores of entities, segments and statements, and says how well they are calibrated, cross-fitted.

    scores.py --data DATA --tools TOOLS --onrecord target/release/onrecord --model models/onrecord-small [--write]

Each dev set's documents are split in two halves, five times, at random; each half is scored with the calibration (Platt 1999)
that was fitted on the other. What a score is the probability of: that an entity's borders and label are right, a segment's
borders, or a statement's source, cue and content all together (strict). Also printed: precision and recall of statements
(lenient, as score_attributions.py has it) above each --min-score. With --write the calibrations that are fitted on all
documents go into the model's config.json. Standard library only.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

from calibration import bins, calibrated, error, fitted, in_config

BINS = 15
SPLITS = 5
ROLES = ("source", "cue", "content")
ENTITY_SETS = {"conll4": "conll2003.dev.jsonl", "news9": "en_worldwide.dev.jsonl"}


def extracted(options, documents, *flags):
    lines = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in documents)
    command = [options.onrecord, "extract", "--precision", "f32", "--model", options.model, "--input-format", "jsonl", *flags, "-"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return {result["id"]: result for result in map(json.loads, done.stdout.splitlines())}


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
    """For each role, and for statements: document -> (score, whether it is right to the letter). Then the statements'
    (score, whether it is right, leniently), and how many there should be."""
    from score_attributions import TOKEN, normalise, prepare, read
    gold = read(options.data / "polnear.dev.jsonl")
    found = extracted(options, [(document["id"], document["text"]) for document in gold])
    rows, lenient = {what: {} for what in (*ROLES, "statements")}, []
    for document in gold:
        name, text = document["id"], document["text"]
        tokens = [match.span() for match in TOKEN.finditer(text)]
        expected = [prepare(text, tokens, a) for a in document["attributions"]]
        statements = found[name]["statements"]
        offered = [prepare(text, tokens, {r: spans(s, r) for r in ROLES}) for s in statements]
        whole = {tuple(e[r] for r in ROLES) for e in expected}
        rows["statements"][name] = [(s["score"], tuple(o[r] for r in ROLES) in whole) for s, o in zip(statements, offered)]
        for role in ROLES:
            right = {segment for e in expected for segment in e[role]}
            # A segment that several statements share counts once.
            segments = {normalise(text, [[x["start"], x["end"]]]): x["score"] for s in statements for x in s[role]}
            rows[role][name] = [(score, segment[0] in right) for segment, score in segments.items() if segment]
        partners = matched(expected, offered)
        for place, (statement, o) in enumerate(zip(statements, offered)):
            e = expected[partners[place]] if place in partners else None
            same = e and (e["source_t"] & o["source_t"] or not (e["source"] or o["source"]))
            lenient.append((statement["score"], bool(same)))
    return rows, lenient, sum(len(document["attributions"]) for document in gold)


def spans(statement, role):
    return [[segment["start"], segment["end"]] for segment in statement[role]]


def matched(expected, offered):
    """Place of a statement -> that of its gold one: greedy, by the overlap of contents, as in score_attributions.py."""
    pairs = sorted((-len(e["content_t"] & o["content_t"]) / len(e["content_t"] | o["content_t"]),
                    -len(e["source_t"] & o["source_t"]), -len(e["cue_t"] & o["cue_t"]), i, j)
                   for i, e in enumerate(expected) for j, o in enumerate(offered) if e["content_t"] & o["content_t"])
    used, partners = set(), {}
    for *_, i, j in pairs:
        if i not in used and j not in partners:
            used.add(i)
            partners[j] = i
    return partners


def crossed(rows, seed):
    """All scores, those of each half of the documents by the calibration of the other."""
    names = sorted(rows)
    random.Random(seed).shuffle(names)
    scored = []
    for own, other in ((0, 1), (1, 0)):
        calibration = fitted([row for name in names[other::2] for row in rows[name]])
        scored += [(calibrated(score, calibration), right) for name in names[own::2] for score, right in rows[name]]
    return scored


def chance(scored, seed):
    """The error that this many scores would show if each were the very probability that it says."""
    dice = random.Random(seed)
    return error([(score, dice.random() < score) for score, _ in scored], BINS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--tools", required=True, type=Path, help="directory of the reference scorers")
    parser.add_argument("--onrecord", required=True)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--write", action="store_true", help="put the calibrations into the model's config.json")
    options = parser.parse_args()
    sys.path.insert(0, str(options.tools))
    path = options.model / "config.json"
    config = json.loads(path.read_text())
    if "scores" in config:
        raise SystemExit(f"{path} has calibrations already: take \"scores\" out of it first")
    tables, lenient, number = statement_rows(options)
    tables |= {scheme: entity_rows(options, scheme) for scheme in ENTITY_SETS}
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
