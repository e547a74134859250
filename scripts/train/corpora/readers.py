"""Reads the annotated corpora into `Document`s: a text, its paragraphs, and character spans with labels.

Every corpus ends up in one form, so that nothing behind this file knows where a document came from.
Dev and test files are refused as training data here, at the only door through which training data comes in.
"""

import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

# en_worldwide's names -> ours (the order is the order of the tags in the model).
NEWS9 = {
    "Person": "PER", "Organization": "ORG", "Location": "LOC", "NORP": "NORP", "Facility": "FAC",
    "Product": "PRODUCT", "Date": "DATE", "Money": "MONEY", "Misc": "MISC",
}
CONLL4 = {"PER": "PER", "ORG": "ORG", "LOC": "LOC", "MISC": "MISC"}
ROLES = ("source", "cue", "content")

# task name -> labels of its BIO head
HEADS = {"statement": list(ROLES), "news9": list(NEWS9.values()), "conll4": list(CONLL4.values())}

# data set -> (file stem, head, licence note for the model card)
DATASETS = {
    "polnear": ("polnear", "statement", "licence not stated; article texts are publishers' copyright"),
    "en_worldwide": ("en_worldwide", "news9", "licence not stated; article texts are publishers' copyright"),
    "conll2003": ("conll2003", "conll4", "text is Reuters RCV1: research use only"),
}

# What stands before the names of files of one's own in the list of what a run was trained on.
EXTRA = "extra: "


@dataclass
class Statement:
    """One attribution: character spans per role."""
    source: list
    cue: list
    content: list


@dataclass
class Document:
    id: str
    text: str
    head: str
    spans: list = field(default_factory=list)  # (start, end, label), code points
    statements: list = field(default_factory=list)


class HeldOut(ValueError):
    """Somebody tried to train on a file that is there to measure with."""


def training_file(directory, stem):
    """The path of a training file; a dev or test file is refused, whatever it is called with."""
    stem = stem.removesuffix(".jsonl")
    name = f"{stem}.jsonl" if stem.endswith(".train") else f"{stem}.train.jsonl"
    refuse_held_out(name)
    if ".dev" in stem or ".test" in stem:
        raise HeldOut(f"{stem} is held out: train on .train files only")
    return Path(directory) / name


def refuse_held_out(path):
    """Raises `HeldOut` when a path names a dev or test file."""
    parts = Path(path).name.lower().split(".")
    if any(part.startswith(("dev", "test")) or part == "validation" for part in parts[1:]):
        raise HeldOut(f"{path} is held out: dev and test files are for measuring, never for training")
    return path


def rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def shares_of(text):
    """{"polnear": 0.4, ...} of "polnear=0.4,..."."""
    return {name: float(share) for name, share in (part.split("=") for part in text.split(",") if part)}


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_statements(path):
    """PolNeAR's form (see data/SOURCES.md)."""
    documents = []
    for row in rows(path):
        statements = [Statement(*(sorted(a[role]) for role in ROLES)) for a in row["attributions"]]
        spans = sorted({(s, e, role) for st in statements for role in ROLES for s, e in getattr(st, role) if e > s})
        documents.append(Document(row["id"], row["text"], "statement", spans, statements))
    return documents


def read_extra(path):
    """Annotations of one's own in the same form (docs/annotations.md). They come from anywhere, so they are checked."""
    refuse_held_out(path)
    try:
        documents = read_statements(path)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no annotation (docs/annotations.md): {error!r}") from error
    for document in documents:
        spans = [(role, *span) for st in document.statements for role in ROLES for span in getattr(st, role)]
        for role, start, end in spans:
            if not 0 <= start < end <= len(document.text):
                raise ValueError(f"{path}, document {document.id}: the {role} [{start}, {end}] is no place in its text")
    return documents


CLOSING = set(",.;:?!)]}%") | {"'s", "n't", "'re", "'ve", "'ll", "'d", "'m", "’s", "...", "''", "”", "’"}
OPENING = set("([{$£€#") | {"``", "“", "‘"}


def joined(tokens, natural):
    """Text of a tokenised sentence and the offsets of its tokens.

    `natural` undoes the tokenisation the way newspapers print ("said , `` no '' ." -> 'said, "no".'),
    so that the model learns both the corpora's spaced form and running text."""
    text, offsets, glue, quote_open = "", [], True, False
    for token in tokens:
        closing, opening = token in CLOSING, token in OPENING
        if natural and token in ("``", "''"):
            token = '"'
        if natural and token == '"':
            opening, closing = not quote_open, quote_open
            quote_open = not quote_open
        if text and not (natural and (glue or closing)):
            text += " "
        offsets.append((len(text), len(text) + len(token)))
        text += token
        glue = natural and opening
    return text, offsets


def bio_spans(tags):
    """(first token, end token, label) of a BIO sequence."""
    spans, start, label = [], None, None
    for i, tag in enumerate(list(tags) + ["O"]):
        if label is not None and tag != "I-" + label:
            spans.append((start, i, label))
            label = None
        if tag.startswith("B-"):
            start, label = i, tag[2:]
    return spans


class TokenRows:
    """A token-per-label corpus. `documents()` joins its sentences by newlines, anew for each epoch."""

    def __init__(self, path, head, corrections=None):
        names = NEWS9 if head == "news9" else CONLL4
        fixed = {row["id"]: row["ner"] for row in rows(corrections)} if corrections else {}
        self.head, self.by_document = head, {}
        for row in rows(path):
            spans = [(s, e, names[label]) for s, e, label in bio_spans(fixed.get(row["id"], row["ner"]))]
            self.by_document.setdefault(row.get("doc") or row["id"], []).append((row["tokens"], spans))

    def documents(self, natural_share=0.0, rng=random):
        documents = []
        for name, sentences in self.by_document.items():
            natural = rng.random() < natural_share
            text, spans = "", []
            for tokens, labelled in sentences:
                sentence, offsets = joined(tokens, natural)
                spans += [(len(text) + offsets[s][0], len(text) + offsets[e - 1][1], label) for s, e, label in labelled]
                text += sentence + "\n"
            documents.append(Document(name, text, self.head, spans))
        return documents
