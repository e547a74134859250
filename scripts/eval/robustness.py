#!/usr/bin/env python3
"""What is lost where people type differently: PolNeAR dev and the entity sets, perturbed, beside what they are.

    robustness.py --data DATA --onrecord target/release/onrecord [--model models/onrecord-small]

Statements: other quotation marks, closing marks left out, capitals throughout or nowhere (scripts/train/corpora/perturb.py), and
lines of 72 characters. Entities: capitals. Then the sets of other kinds of text. F1 in percent; standard library only.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from corpora.perturb import PERTURBATIONS, lower, upper  # noqa: E402
from corpora.readers import rows  # noqa: E402

MEASURES = ("source exact", "cue exact", "content exact", "statement lenient", "statement half", "statement strict")
WIDTH = 72
CORE = ["--only", "PER,ORG,LOC"]
# What the labels of other sets are called here; other labels count as no entity.
POLITICS = {"politician": "PER", "person": "PER", "politicalparty": "ORG", "organisation": "ORG", "location": "LOC",
            "country": "LOC"}
TWEETS = {"person": "PER", "location": "LOC", "group": "ORG", "corporation": "ORG"}
UNIVERSAL = {"PER": "PER", "ORG": "ORG", "LOC": "LOC"}
OTHERS = (("wikigold.jsonl", None), ("uner_ewt.dev.jsonl", UNIVERSAL), ("wnut17.dev.jsonl", TWEETS),
          ("crossner_politics.dev.jsonl", POLITICS))


def wrapped(text, rng):
    """Line ends in place of spaces where the next word would go beyond the width; blank lines part paragraphs."""
    out, start = list(text), 0
    for at, character in enumerate(text):
        if character == "\n":
            start = at + 1
        elif character == " " and at > start:
            word = len(text[at + 1:at + 1 + WIDTH].split(" ")[0].split("\n")[0])
            if word and at - start + 1 + word > WIDTH:
                out[at], start = "\n", at + 1
    return "".join(out)


def evaluated(options, what, documents, *flags):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as gold:
        gold.writelines(json.dumps(document) + "\n" for document in documents)
        gold.flush()
        command = [options.onrecord, "eval", what, gold.name, "--json", "--precision", options.precision,
                   "--model", options.model, *flags]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def with_texts(documents, change):
    rng = random.Random(1)
    out = []
    for document in documents:
        text = change(document["text"], rng)
        # Offsets stay true only where every character stands where it stood.
        assert len(text) == len(document["text"]), document["id"]
        out.append({**document, "text": text})
    return out


def renamed(documents, names):
    """The same with other labels, and "O" where there is none."""
    def tag(tag):
        return f"{tag[:2]}{names[tag[2:]]}" if tag[2:] in names else "O"
    return [{**document, "ner": [tag(t) for t in document["ner"]]} for document in documents]


def print_head(what):
    print(f"\n| {what} | " + " | ".join(MEASURES) + " |\n" + "|---" * (1 + len(MEASURES)) + "|")


def print_row(name, result):
    print(f"| {name} | " + " | ".join(f"{result[measure]['f1']:.2f}" for measure in MEASURES) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--onrecord", required=True)
    parser.add_argument("--model", default="models/onrecord-small")
    parser.add_argument("--precision", default="f32", choices=("f32", "int8"))
    parser.add_argument("--only", help="of the statements, only this change, and nothing else")
    options = parser.parse_args()

    print_head("statements")
    documents = rows(options.data / "polnear.dev.jsonl")
    changes = {"as they are": lambda text, rng: text, **PERTURBATIONS, f"lines of {WIDTH} characters": wrapped}
    for name, change in changes.items():
        if options.only in (None, name):
            print_row(name, evaluated(options, "statements", with_texts(documents, change)))
    if options.only:
        return

    print("\n| entities | CoNLL-2003 | Worldwide |\n|---|---|---|")
    for name, change in {"as they are": lambda text, rng: text, "capitals throughout": upper, "no capitals": lower}.items():
        scores = []
        for file, flags in (("conll2003.dev.jsonl", ["--entity-scheme", "conll4"]), ("en_worldwide.dev.jsonl", ["--worldwide"])):
            changed = [{**d, "tokens": [change(token, None) for token in d["tokens"]]} for d in rows(options.data / file)]
            scores.append(evaluated(options, "entities", changed, *flags)["entity"]["f1"])
        print(f"| {name} | " + " | ".join(f"{score:.2f}" for score in scores) + " |", flush=True)

    print_head("GUM, dev")
    documents = rows(options.data / "gum_attribution.dev.jsonl")
    for genres in (["news"], ["interview"], ["speech"], sorted({document["genre"] for document in documents})):
        chosen = [document for document in documents if document["genre"] in genres]
        print_row(genres[0] if len(genres) == 1 else "all genres", evaluated(options, "statements", chosen))

    print("\n| other kinds of text | entities F1 |\n|---|---|")
    for file, names in OTHERS:
        documents = rows(options.data / file)
        result = evaluated(options, "entities", renamed(documents, names) if names else documents,
                           "--entity-scheme", "conll4", *(CORE if names else []))
        print(f"| {file} | {result['entity']['f1']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
