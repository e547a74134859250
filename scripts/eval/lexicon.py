#!/usr/bin/env python3
"""What each list of the lexicon is worth: scores on dev sets with the list emptied, beside those with all lists.

    cargo build --features benchmarks --example lexicon
    scripts/eval/lexicon.py --data DATA --tools TOOLS --program target/debug/examples/lexicon [--lists NAME ..] [--other FILE]

The model runs once; then the documents are decoded once for each list. The table is Markdown, for docs/lexicon.md; of a list
it has what changes by emptying it. --other compares the lexicon with another of the same form instead: all lists at once.
--show prints the statements that change by each list. Standard library only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from polarity import matched

LEXICON = Path(__file__).resolve().parents[2] / "src/decode/lexicon/lexicon.toml"
SETS = ("news_statements.dev", "polnear.dev", "gum_attribution.dev", "cases")
COLUMNS = ("who F1", "found said", "found nested", "right", "speakers", "unnamed", "lenient", "negative F1", "cases")


def names(lexicon):
    """The lists, by names such as "statements.speech"."""
    return [f"{room}.{name}" for room, lists in lexicon.items() for name in lists]


def without(lexicon, name):
    """The lexicon with one list emptied."""
    room, own = name.split(".")
    empty = {"from": "emptied"} | ({"classes": {}} if "classes" in lexicon[room][own] else {})
    return lexicon | {room: lexicon[room] | {own: empty}}


def written(table, path=""):
    """A table as TOML. All values are strings, lists of strings and tables."""
    lines = [f"[{path}]"] if path else []
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items() if not isinstance(value, dict)]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += written(value, f"{path}.{key}" if path else key)
    return lines


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def scores(gold, found):
    """All columns of one lexicon. `found`: set -> results."""
    import check_cases
    import score_attributions
    import score_news
    by_id = {name: {result["id"]: result for result in results} for name, results in found.items()}
    news = score_news.score(gold["news_statements.dev"], found["news_statements.dev"])
    polnear = score_attributions.score(gold["polnear.dev"], score_attributions_form(found["polnear.dev"]), gold["speakers"])
    pairs = [pair for document in gold["gum_attribution.dev"]
             for pair in matched(document["attributions"], by_id["gum_attribution.dev"][document["id"]]["statements"])]
    negative = [(a["polarity"] == "negative", s["polarity"] == "negative") for a, s in pairs]
    right, said = sum(a and b for a, b in negative), sum(a + b for a, b in negative)
    cases = gold["cases"]
    return {
        "who F1": news["who"]["f1"],
        "found said": news["found said"]["percent"],
        "found nested": news["found nested"]["percent"],
        "right": news["right"]["percent"],
        "speakers": polnear["speaker all"]["end to end"],
        "unnamed": polnear["speaker unnamed"]["accuracy of matched"],
        "lenient": polnear["statement lenient"]["f1"],
        "negative F1": round(200 * right / max(1, said), 1),
        "cases": sum(not check_cases.check(case, by_id["cases"][case["id"]]) for case in cases),
    }


def score_attributions_form(results):
    """Results as score_attributions.py reads them from a file."""
    import score_attributions
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(result) + "\n" for result in results)
        file.flush()
        return score_attributions.read(file.name)


def statements(results):
    """What a reader sees of each statement, by where it stands."""
    seen = {}
    for result in results:
        people = {speaker["id"]: speaker["name"] for speaker in result["speakers"]}
        for statement in result["statements"]:
            place = tuple((s["start"], s["end"]) for role in ("source", "cue", "content") for s in statement[role])
            who = tuple([statement["speaker"]["name"]] if statement["speaker"] else [])
            who += tuple(people[other] for other in statement["co_speakers"])
            words = " | ".join(" … ".join(s["text"] for s in statement[role])[:80] for role in ("source", "cue", "content"))
            seen[result["id"], place] = {"act": statement["act"], "kind": statement["kind"], "polarity": statement["polarity"],
                                         "who": who, "words": words}
    return seen


def differences(full, other, show):
    """How many statements have another act, kind, polarity or speaker, and how many stand elsewhere or not at all."""
    count = dict.fromkeys(("act", "kind", "polarity", "who", "spans"), 0)
    for name, results in full.items():
        before, after = statements(results), statements(other[name])
        count["spans"] += len(before.keys() ^ after.keys())
        for place in before.keys() & after.keys():
            for what in ("act", "kind", "polarity", "who"):
                if before[place][what] != after[place][what]:
                    count[what] += 1
                    if show:
                        print(f"  {what}: {before[place][what]} -> {after[place][what]}: {before[place]['words']}", file=sys.stderr)
        if show:
            for place in before.keys() ^ after.keys():
                sign, row = ("-", before[place]) if place in before else ("+", after[place])
                print(f"  span {sign} {row['who']}: {row['words']}", file=sys.stderr)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--tools", required=True, type=Path)
    parser.add_argument("--program", required=True)
    parser.add_argument("--lists", nargs="*", help="these lists only")
    parser.add_argument("--other", type=Path, help="another lexicon, to compare with")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(options.tools))
    gold = {name: read(options.data / f"{name}.jsonl") for name in SETS}
    gold["speakers"] = read(options.data / "polnear_speakers.dev.jsonl")
    with_speakers = {row["doc"] for row in gold["speakers"]}
    gold["polnear.dev"] = [document for document in gold["polnear.dev"] if document["id"] in with_speakers]
    lexicon = tomllib.loads(LEXICON.read_text(encoding="utf-8"))
    lists = options.lists or names(lexicon)
    variants = {name: without(lexicon, name) for name in lists}
    if options.other:
        variants = {str(options.other): tomllib.loads(options.other.read_text(encoding="utf-8"))}
    variants = {"(all lists)": lexicon} | variants
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for number, variant in enumerate(variants.values()):
            (folder / f"{number}.toml").write_text("\n".join(written(variant)) + "\n", encoding="utf-8")
        texts = "".join(json.dumps({"id": f"{name} {d['id']}", "text": d["text"]}) + "\n" for name in SETS for d in gold[name])
        paths = [folder / f"{number}.toml" for number in range(len(variants))]
        subprocess.run([options.program, folder, *paths], input=texts, text=True, check=True)
        found = []
        for path in paths:
            found.append({name: [] for name in SETS})
            for result in read(path.with_suffix(".jsonl")):
                name, result["id"] = result["id"].split(" ", 1)
                found[-1][name].append(result)
    full = scores(gold, found[0])
    print("| list | " + " | ".join(COLUMNS) + " | acts, kinds, polarities, speakers, spans |")
    print("|---" * (len(COLUMNS) + 2) + "|")
    print("| (all lists) | " + " | ".join(str(full[column]) for column in COLUMNS) + " | |")
    for name, results in list(zip(variants, found))[1:]:
        if options.show:
            print(name, file=sys.stderr)
        own, changed = scores(gold, results), differences(found[0], results, options.show)
        change = [round(own[column] - full[column], 2) for column in COLUMNS]
        print(f"| `{name}` | " + " | ".join(f"{value:+g}" if value else "" for value in change)
              + " | " + (", ".join(map(str, changed.values())) if any(changed.values()) else "nothing") + " |", flush=True)


if __name__ == "__main__":
    main()
