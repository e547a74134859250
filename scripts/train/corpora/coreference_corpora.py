"""The corpora with chains, as running text: documents with their gold mentions.

Each reader yields ({"id", "text"}, gold); gold mentions are (start, end, chain, form, label, head), in code points.
"""

import re

from corpora.readers import joined, rows

# Text licences of the other genres are non-commercial or not named (SOURCES.md).
CLEAN_GENRES = ("news", "interview", "bio", "academic", "court", "voyage")

LABELS = {"person": "PER", "PER": "PER", "organization": "ORG", "ORG": "ORG", "place": "LOC", "GPE": "LOC", "LOC": "LOC",
          "FAC": "FAC"}


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
