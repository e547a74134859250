"""Reads the coreference corpora into documents whose mentions are known to belong together or not.

    coreference_data.py --data DATA --mentions PROGRAM --out DIR

PROGRAM is `target/release/examples/mentions`: the mentions are those that the product itself finds, so that training sees
what the resolver will see. Writes one file a corpus to DIR; `train.py --coreference DIR` reads them.

Each line: {"id", "text", "mentions": [...], "chains": [...]}: for each mention the number of its chain, -2 where nothing
is known; and "names_only": true where only names are known to be in chains.
GAP's lines have in place of a chain the pronoun's index and what is right for it ("pronoun", "right", "wrong").
"""

import argparse
import collections
import json
import random
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from features import load_tokenizer
from readers import TokenRows, joined, refuse_held_out, rows

# Text licences of the other genres are non-commercial or not named (SOURCES.md).
CLEAN_GENRES = ("news", "interview", "bio", "academic", "court", "voyage")
CLASSES = ("person", "man", "woman", "organisation", "group", "place", "building", "he", "she", "they", "it", "who", "I",
           "we", "nominal", "definite")
NAMES = range(0, 7)
PEOPLE = range(0, 3)
HE, SHE, NOMINAL, DEFINITE = (CLASSES.index(name) for name in ("he", "she", "nominal", "definite"))
UNKNOWN = -2
HIDDEN = 384
# Pronouns that the product takes for mentions only where they are sources; in training all of them count.
RARE = re.compile(r"(?i)(it|its|itself|who|whom|whose|which|each|both)$")

LABELS = {"person": "PER", "PER": "PER", "organization": "ORG", "ORG": "ORG", "place": "LOC", "GPE": "LOC", "LOC": "LOC",
          "FAC": "FAC"}


def find_mentions(program, documents):
    """Runs the product over documents: id -> mentions; each with its states under "row", a row of STATES."""
    lines = "".join(json.dumps({k: d[k] for k in ("id", "text", "names", "nominals") if k in d}) + "\n" for d in documents)
    with tempfile.NamedTemporaryFile() as states:
        done = subprocess.run([program, states.name], input=lines, capture_output=True, text=True, check=True)
        found = np.fromfile(states.name, dtype=np.float16).reshape(-1, 2, HIDDEN)
    row, out = 0, {}
    for document in map(json.loads, done.stdout.splitlines()):
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
    np.save(f"{path}.npy", np.stack(states))


# --- corpora with chains: gold mentions are (start, end, chain, form, label)

def gum(path):
    for row in rows(path):
        if row["genre"] not in CLEAN_GENRES:
            continue
        gold = []
        for m in row["mentions"]:
            form = {"PROPN": "name", "PRON": "pronoun"}.get(m["head_pos"], "nominal")
            start, end = m["start"], m["end"]
            if form == "name" and row["text"][start:end].endswith(("'s", "’s")):
                end -= 2
            gold.append((start, end, m["entity"], form, LABELS.get(m["type"]), tuple(m["head"])))
        yield {"id": row["id"], "text": row["text"]}, gold


def retold(text, spans, lines_a_paragraph):
    """Tokenised text, one sentence a line, as newspapers print it; spans follow."""
    out, place = "", {}
    at = 0
    for number, line in enumerate(text.split("\n")):
        tokens = line.split(" ")
        sentence, offsets = joined(tokens, True)
        if number:
            out += "\n" if number % lines_a_paragraph == 0 else " "
        for token, (start, end) in zip(tokens, offsets):
            for k in range(len(token) + 1):
                place.setdefault(at + k, len(out) + min(start + k, end))
            place[at] = len(out) + start
            place[(at + len(token), "end")] = len(out) + end
            at += len(token) + 1
        out += sentence
    return out, [(place[s], place.get((e, "end"), place[e])) for s, e in spans]


def litbank(path):
    forms = {"PROP": "name", "PRON": "pronoun", "NOM": "nominal"}
    for row in rows(path):
        kept = [m for m in row["mentions"] if "T" not in str(m["entity"]).split("#")[-1]]
        text, spans = retold(row["text"], [(m["start"], m["end"]) for m in kept], 6)
        gold = [(s, e, m["entity"], forms[m["form"]], LABELS.get(m["type"]), (s, e)) for (s, e), m in zip(spans, kept)]
        yield {"id": row["id"], "text": text}, gold


def parcorfull(path):
    for row in rows(path):
        kept = [m for m in row["mentions"] if m["type"] in ("np", "pronoun")]
        text, spans = retold(row["text"], [(m["start"], m["end"]) for m in kept], 2)
        gold = []
        for (s, e), m in zip(spans, kept):
            form = "pronoun" if m["type"] == "pronoun" else "name" if re.search(r"\b[A-Z]", text[s + 1:e]) else "nominal"
            gold.append((s, e, m["entity"], form, None, (s, e)))
        yield {"id": row["id"], "text": text}, gold


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


# --- given names: who is a "he" and who a "she"

def observed_genders(corpora):
    """Given name -> how often its bearers are "he" and "she", in corpora with chains and in GAP."""
    counts = collections.defaultdict(collections.Counter)
    for document in corpora:
        mentions = document["mentions"]
        if "pronoun" in document:
            pronoun = mentions[document["pronoun"]]["class"]
            for given in {m.get("given") for m in mentions if m["name"] in document["right"]} - {None}:
                counts[given][pronoun] += 1
            continue
        members = collections.defaultdict(list)
        for m, chain in zip(mentions, document["chains"]):
            members[chain].append(m)
        for chain, members in members.items():
            he, she = (sum(m["class"] == p for m in members) for p in (HE, SHE))
            if chain >= 0 and he + she >= 2 and max(he, she) >= 0.8 * (he + she):
                for given in {m.get("given") for m in members} - {None}:
                    counts[given][HE if he > she else SHE] += 1
    return counts


def given_names(counts, seen, encoder):
    """{"man": [...], "woman": [...]}: the names observed, and of the others in `seen` those that a classifier over the
    encoder's word embeddings is sure of."""
    tokenizer = load_tokenizer(encoder / "tokenizer.json")
    embeddings = load_file(encoder / "model.safetensors")
    embeddings = next(v for k, v in embeddings.items() if k.endswith("word_embeddings.weight")).float()

    def row(name):
        ids = tokenizer.encode(name, add_special_tokens=False).ids
        return embeddings[ids[0]] if len(ids) == 1 and ids[0] != tokenizer.token_to_id("[UNK]") else None

    clear = {n: c.most_common(1)[0][0] for n, c in counts.items() if max(c.values()) >= 0.8 * sum(c.values())}
    known = [(row(n), g) for n, g in clear.items() if len(n) > 2 and row(n) is not None]
    x = torch.stack([r for r, _ in known])
    mean, scale = x.mean(0), x.std(0)
    x = (x - mean) / scale
    y = torch.tensor([float(g == SHE) for _, g in known])
    torch.manual_seed(1)
    fold = torch.arange(len(y)) % 5

    def fitted(chosen):
        weight = torch.zeros(x.shape[1] + 1, requires_grad=True)
        optimiser = torch.optim.LBFGS([weight], max_iter=100)

        def closure():
            optimiser.zero_grad()
            z = x[chosen] @ weight[1:] + weight[0]
            value = F.binary_cross_entropy_with_logits(z, y[chosen]) + 0.02 * (weight[1:] ** 2).sum()
            value.backward()
            return value

        optimiser.step(closure)
        return weight.detach()

    held = torch.cat([((x[fold == k] @ w[1:] + w[0] > 0).float() == y[fold == k]).float()
                      for k in range(5) for w in [fitted(fold != k)]])
    print(f"given names: {len(y)} observed, {100 * held.mean():.1f} % right when held out")
    weight = fitted(fold >= 0)
    chosen = {"man": {n for n, g in clear.items() if g == HE}, "woman": {n for n, g in clear.items() if g == SHE}}
    for name in seen - set(counts):
        vector = row(name) if len(name) > 2 else None
        if vector is not None:
            p = torch.sigmoid(((vector - mean) / scale) @ weight[1:] + weight[0]).item()
            if p < 0.1 or p > 0.9:
                chosen["woman" if p > 0.5 else "man"].add(name)
    return {k: sorted(v) for k, v in chosen.items()}


# --- pronouns made from names: articles in which a name that is a source becomes "he" or "she"

def genders(documents):
    """Full name -> HE or SHE, where the pronouns beside a lone person tell."""
    counts = collections.defaultdict(collections.Counter)
    for document in documents:
        full = {}
        for m in document["mentions"]:
            if m["class"] in PEOPLE:
                form = document["text"][m["start"]:m["end"]]
                full[m["name"]] = max(full.get(m["name"], ""), form, key=len)
        people = collections.defaultdict(set)
        for m in document["mentions"]:
            if m["class"] in PEOPLE:
                people[m["sentence"]].add(m["name"])
        for m in document["mentions"]:
            if m["class"] in (HE, SHE):
                near = people[m["sentence"]] | people[m["sentence"] - 1] | people[m["sentence"] - 2]
                if len(near) == 1:
                    counts[full[next(iter(near))]][m["class"]] += 1
    chosen = {}
    for name, count in counts.items():
        (pronoun, most), total = count.most_common(1)[0], sum(count.values())
        if total >= 2 and most / total >= 0.8 and " " in name:
            chosen[name] = pronoun
    return chosen


BEFORE = re.compile(r'(^|[\n,.;:?!"”“—-]|\b(?:and|but|that|as|when|where|because|while|if|what|how|why))\s*$')


def worldwide(path):
    """English Worldwide Newswire as running text."""
    return [{"id": d.id, "text": d.text} for d in TokenRows(path, "news9").documents(1.0, random.Random(1))]


def made_pronouns(documents, program, given, share, seed):
    rng = random.Random(seed)
    plain = [{"id": d["id"], "text": d["text"]} for d in documents]
    found = find_mentions(program, plain)
    plain = [{**d, "mentions": found[d["id"]]} for d in plain]
    gender = genders(plain)
    lexicon = {n: g for kind, g in (("man", HE), ("woman", SHE)) for n in given[kind]}
    changed = []
    for d in plain:
        text, full, first = d["text"], {}, {}
        for m in d["mentions"]:
            if m["class"] in PEOPLE:
                form = text[m["start"]:m["end"]]
                full[m["name"]] = max(full.get(m["name"], ""), form, key=len)
                first.setdefault(m["name"], m["start"])
        out, at, made = "", 0, []
        for m in d["mentions"]:
            pronoun = None
            if m["class"] in PEOPLE:
                pronoun = {1: HE, 2: SHE}.get(m["class"]) or gender.get(full.get(m["name"])) or lexicon.get(m.get("given"))
            if pronoun is None or m["source"] is None or first[m["name"]] == m["start"] or m["start"] < at:
                continue
            # "Mr. Holt" goes as a whole.
            start = m["start"]
            title = re.search(r"\b(?:Mr|Mrs|Ms|Sen|Gov|Dr|Rep)\.\s$", text[:start])
            start = title.start() if title else start
            follows = re.match(r"\s[a-z]", text[m["end"]:])
            if not follows or not BEFORE.search(text[max(0, start - 16):start]) or rng.random() >= share:
                continue
            word = CLASSES[pronoun]
            opens = re.search(r'(^|[\n.?!:]["”]?\s*|["“]\s*)$', text[:start])
            out += text[at:start]
            made.append((len(out), full[m["name"]]))
            out += word.capitalize() if opens else word
            at = m["end"]
        if made:
            changed.append(({"id": d["id"], "text": out + text[at:]}, made))
    found = find_mentions(program, [d for d, _ in changed])
    for document, made in changed:
        mentions, text = found[document["id"]], document["text"]
        full = {}
        for m in mentions:
            if m["class"] in PEOPLE:
                full[m["name"]] = max(full.get(m["name"], ""), text[m["start"]:m["end"]], key=len)
        number = {}
        for name, form in full.items():
            number.setdefault(form, name)
        chains = [m["name"] if m["name"] is not None else UNKNOWN for m in mentions]
        count = 0
        made = dict(made)
        for k, m in enumerate(mentions):
            name = number.get(made.get(m["start"]))
            if m["class"] in (HE, SHE) and name is not None:
                chains[k], count = name, count + 1
        if count:
            yield {**document, "mentions": mentions, "chains": chains, "names_only": True}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--mentions", required=True)
    parser.add_argument("--encoder", required=True, type=Path, help="as for train.py; for its word embeddings")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dev", action="store_true", help="the dev files instead, to measure with")
    parser.add_argument("--only", action="append", help="a corpus to read, of those of the files in --out; by default all")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    split = "dev" if options.dev else "train"

    def corpus(stem):
        path = options.data / stem
        return path if options.dev else refuse_held_out(path)

    program = options.mentions
    corpora = {
        "gum": lambda: with_chains(gum(corpus(f"gum_coref.{split}.jsonl")), program),
        "gap": lambda: gap(corpus(f"gap.{split}.jsonl"), program),
    }
    if options.dev:
        corpora["polnear"] = lambda: (
            {**d, "mentions": found[d["id"]]}
            for documents in [[{"id": r["id"], "text": r["text"]} for r in rows(corpus("polnear.dev.jsonl"))]]
            for found in [find_mentions(program, documents)] for d in documents)
    else:
        corpora["litbank"] = lambda: with_chains(litbank(corpus("litbank.jsonl")), program)
        corpora["parcorfull"] = lambda: with_chains(parcorfull(corpus("parcorfull_news.jsonl")), program)
        plain = [{"id": r["id"], "text": r["text"]} for r in rows(corpus("polnear.train.jsonl"))]
        corpora["polnear"] = lambda: made_pronouns(plain, program, given, 0.5, options.seed)
        corpora["worldwide"] = lambda: made_pronouns(
            worldwide(corpus("en_worldwide.train.jsonl")), program, given, 0.5, options.seed)
    read_so_far = []
    for name, read in corpora.items():
        if options.only and name not in options.only:
            continue
        if name == "polnear" and not options.dev:
            # The corpora with chains have been read: what they tell of given names is needed from here on.
            seen = {m["given"] for d in read_so_far for m in d["mentions"] if m.get("given")}
            seen |= {word.lower() for d in plain for word in re.findall(r"\b[A-Z][a-z]{2,}(?=\s[A-Z])", d["text"])}
            given = given_names(observed_genders(read_so_far), seen, options.encoder)
            (options.out / "given_names.json").write_text(json.dumps(given))
        documents = list(read())
        read_so_far += documents
        write(options.out / name, documents)
        print(name, len(documents), "documents", sum(len(d["mentions"]) for d in documents), "mentions", flush=True)


if __name__ == "__main__":
    main()
