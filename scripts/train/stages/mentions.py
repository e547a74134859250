"""Reads the coreference corpora into documents whose mentions are known to belong together or not.

The mentions are those that the product itself finds (examples/mentions.rs), so that training sees what the resolver will
see. Writes one file a corpus; `train.py --coreference` and `coreference.py` read them.

Each line: {"id", "text", "mentions": [...], "chains": [...]}: for each mention the number of its chain, -2 where nothing
is known; and "names_only": true where only names are known to be in chains.
GAP's lines have in place of a chain the pronoun's index and what is right for it ("pronoun", "right", "wrong").
"""

import argparse
import json
import re
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from corpora.coreference_corpora import gum, litbank, parcorfull
from corpora.given_names import also_surnames, given_names, observed_genders
from corpora.made_mentions import made_mentions, worldwide
from corpora.mention_classes import NAMES, SHE, UNKNOWN
from corpora.readers import refuse_held_out, rows

# Pronouns that the product takes for mentions only where they are sources; in training all of them count.
RARE = re.compile(r"(?i)(it|its|itself|who|whom|whose|which|each|both)$")


def find_mentions(program, documents):
    """Runs the product (a program, and perhaps a model directory) over documents: id -> mentions; each with its states under "row", a row of STATES."""
    if not documents:
        return {}
    lines = "".join(json.dumps({k: d[k] for k in ("id", "text", "names", "nominals") if k in d}) + "\n" for d in documents)
    with tempfile.NamedTemporaryFile() as states:
        done = subprocess.run([program[0], states.name, *program[1:]], input=lines, capture_output=True, text=True, check=True)
        found = np.fromfile(states.name, dtype=np.float16)
    read = [json.loads(line) for line in done.stdout.splitlines()]
    found = found.reshape(sum(len(document["mentions"]) for document in read), 2, -1)
    row, out = 0, {}
    for document in read:
        out[document["id"]] = document["mentions"]
        for mention in document["mentions"]:
            mention["states"] = found[row]
            row += 1
    return out


def write(path, documents):
    """Documents as JSON Lines to PATH.jsonl, the states of their mentions to PATH.npy, in order."""
    states = []
    with open(f"{path}.jsonl", "w", encoding="utf-8") as out:
        for document in documents:
            states += [mention.pop("states") for mention in document["mentions"]]
            out.write(json.dumps(document) + "\n")
    np.save(f"{path}.npy", np.stack(states) if states else np.empty((0, 2, 0), np.float16))


def with_chains(documents, program):
    """Finds mentions and gives each its chain."""
    documents = list(documents)
    asked = []
    for document, gold in documents:
        names = [[s, e, label] for s, e, _, form, label, _ in gold if form == "name" and label]
        nominals = [[s, e] for s, e, _, form, label, _ in gold if form == "nominal" and label in ("PER", "ORG") and e - s < 80]
        nominals += [[s, e] for s, e, _, form, _, _ in gold if form == "pronoun" and RARE.match(document["text"][s:e])]
        asked.append({**document, "names": names, "nominals": nominals})
    found = find_mentions(program, asked)
    for document, gold in documents:
        mentions = found[document["id"]]
        exact = {(s, e): chain for s, e, chain, *_ in gold}
        names = sorted((e - s, s, e, chain, head) for s, e, chain, form, _, head in gold if form == "name")
        chains = []
        for m in mentions:
            chain = exact.get((m["start"], m["end"]))
            if chain is None and m["class"] in NAMES:
                inside = (n for n in names if m["start"] <= n[4][0] and n[4][1] <= m["end"] and n[1] <= m["start"] + 12)
                around = (n for n in names if n[1] <= m["start"] and m["end"] <= n[2] and n[0] <= m["end"] - m["start"] + 12)
                chain = next((n[3] for n in inside), next((n[3] for n in around), None))
            chains.append(chain)
        # One name, one chain: what the corpus leaves out follows the others of its name.
        known = {}
        for m, chain in zip(mentions, chains):
            if m["name"] is not None and chain is not None:
                known.setdefault(m["name"], chain)
        chains = [known.get(m["name"]) if c is None and m["name"] is not None else c for m, c in zip(mentions, chains)]
        numbers = {}
        chains = [UNKNOWN if c is None else numbers.setdefault(c, len(numbers)) for c in chains]
        yield {**document, "mentions": mentions, "chains": chains}


def gap(path, program):
    documents = rows(path)
    asked = [{"id": d["id"], "text": d["text"],
              "names": [[m["start"], m["end"], "PER"] for m in d["mentions"] if m["type"] == "name"]} for d in documents]
    found = find_mentions(program, asked)
    for d in documents:
        mentions = found[d["id"]]
        pronoun = next(m for m in d["mentions"] if m["type"] == "pronoun")
        at = next((k for k, m in enumerate(mentions) if m["start"] == pronoun["start"]), None)
        if at is None:
            continue

        def name_of(letter):
            gold = next(m for m in d["mentions"] if m["type"] == "name" and m["entity"] == letter)
            names = {m["name"] for m in mentions if m["name"] is not None and m["start"] < gold["end"] and gold["start"] < m["end"]}
            return names

        a, b = name_of("A"), name_of("B")
        right = {"A": a, "B": b}.get(pronoun["entity"], set())
        wrong = (a | b) - right if pronoun["entity"] == "other" else set()
        yield {"id": d["id"], "text": d["text"], "mentions": mentions, "pronoun": at, "right": sorted(right),
               "wrong": sorted(wrong), "A": sorted(a), "B": sorted(b), "entity": pronoun["entity"],
               "feminine": mentions[at]["class"] == SHE}


# corpus -> its file, and how it is read
WITH_CHAINS = {
    "gum": ("gum_coref.{split}.jsonl", lambda path, program: with_chains(gum(path), program)),
    "gap": ("gap.{split}.jsonl", gap),
    "litbank": ("litbank.jsonl", lambda path, program: with_chains(litbank(path), program)),
    "parcorfull": ("parcorfull_news.jsonl", lambda path, program: with_chains(parcorfull(path), program)),
}


def training_corpora(options, program):
    """(name, documents) of the corpora that are there. Those with chains come first: what they tell of given names makes
    pronouns of the names in the others."""
    read = []
    for name, (file, reader) in WITH_CHAINS.items():
        path = refuse_held_out(options.data / file.format(split="train"))
        if path.exists():
            read += (documents := list(reader(path, program)))
            yield name, documents
    polnear, english = (refuse_held_out(options.data / f"{stem}.train.jsonl") for stem in ("polnear", "en_worldwide"))
    news = [{"id": row["id"], "text": row["text"]} for row in rows(polnear)] if polnear.exists() else []
    given = names_known(read, news, options.encoder)
    (options.out / "given_names.json").write_text(json.dumps(given))
    find = partial(find_mentions, program)
    yield "polnear", list(made_mentions(news, find, given, 0.5, options.seed))
    if english.exists():
        yield "worldwide", list(made_mentions(worldwide(english), find, given, 0.5, options.seed))


def names_known(read, news, encoder):
    """The given names of men and women, and which of them are surnames too."""
    seen = {m["given"] for d in read for m in d["mentions"] if m.get("given")}
    seen |= {word.lower() for d in news for word in re.findall(r"\b[A-Z][a-z]{2,}(?=\s[A-Z])", d["text"])}
    given = given_names(observed_genders(read), seen, encoder)
    given["surname"] = also_surnames({*given["man"], *given["woman"]}, [d["text"] for d in [*read, *news]])
    return given


def dev_corpora(options, program):
    """The same to measure with (scripts/eval/speakers.py)."""
    for name in ("gum", "gap"):
        file, reader = WITH_CHAINS[name]
        yield name, list(reader(options.data / file.format(split="dev"), program))
    documents = [{"id": row["id"], "text": row["text"]} for row in rows(options.data / "polnear.dev.jsonl")]
    found = find_mentions(program, documents)
    yield "polnear", [{**document, "mentions": found[document["id"]]} for document in documents]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--program", required=True, type=Path, help="folder of examples/mentions")
    parser.add_argument("--model", help="model directory whose mentions and states these are; by default the embedded one")
    parser.add_argument("--encoder", required=True, type=Path, help="as for train.py; for its word embeddings")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dev", action="store_true", help="the dev files instead, to measure with")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    program = [options.program / "examples/mentions", *([options.model] if options.model else [])]
    numbers = {}
    for name, documents in (dev_corpora if options.dev else training_corpora)(options, program):
        write(options.out / name, documents)
        numbers[name] = {"documents": len(documents), "mentions": sum(len(d["mentions"]) for d in documents)}
        print(name, numbers[name], flush=True)
    # It comes last: it says that the others are there.
    (options.out / "mentions.json").write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
