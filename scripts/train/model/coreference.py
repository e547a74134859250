"""Coreference: which mention a pronoun or a description goes back to.

The same probabilities as `src/decode/speakers/resolve.rs`. `stages/parity.py` records the head's scores for a test;
`corpora/antecedents.py` says what is scored.
"""

import json

import numpy as np
import torch
from torch import nn

from corpora.antecedents import ANAPHORS, LOOK_BACK, SPOKE_LAST, TABLES, candidates, corrections, is_impossible, pair_features
from corpora.mention_classes import CLASSES, HE, NAMES, PEOPLE, SHE, UNKNOWN

WIDTH, HIDDEN = 128, 128


class Coreference(nn.Module):
    """Scores (anaphor, candidate) pairs and "nobody" for an anaphor. A mention is known by its first and last token."""

    def __init__(self, hidden):
        super().__init__()
        self.mention = nn.Linear(2 * hidden, WIDTH)
        self.anaphor = nn.Linear(WIDTH, HIDDEN)
        self.candidate = nn.Linear(WIDTH, HIDDEN, bias=False)
        self.both = nn.Linear(WIDTH, HIDDEN, bias=False)
        self.features = nn.ModuleDict({name: nn.Embedding(size, HIDDEN) for name, size in TABLES.items()})
        for table in self.features.values():
            nn.init.normal_(table.weight, std=0.02)
        self.score = nn.Linear(HIDDEN, 1, bias=False)
        self.nobody = nn.Linear(WIDTH, 1)
        self.nobody_classes = nn.Parameter(torch.zeros(2 * len(CLASSES)))

    def vectors(self, first, last):
        return torch.tanh(self.mention(torch.cat([first, last], -1)))

    def pairs(self, vectors, left, right, features):
        """vectors [m, width]; left, right [n]; features [n, tables] -> [n]."""
        a, b = vectors[left], vectors[right]
        x = self.anaphor(a) + self.candidate(b) + self.both(a * b)
        for k, table in enumerate(self.features.values()):
            x = x + table(features[:, k])
        return self.score(torch.relu(x))[:, 0]

    def none(self, vectors, classes, sources):
        """vectors [n, width] of anaphors -> [n]."""
        return self.nobody(vectors)[:, 0] + self.nobody_classes[classes * 2 + sources]


class Case:
    """One anaphor with its candidates. `right`: 1 right, 0 wrong, -1 unknown, a candidate each; `is_alone`: nobody is right."""
    __slots__ = ("anaphor", "chosen", "features", "right", "is_alone", "avoid")

    def __init__(self, mentions, i, right, is_alone=False, avoid=False):
        self.anaphor, self.chosen = i, candidates(mentions, i)
        self.features = np.array(pair_features(mentions, i, self.chosen), dtype=np.int16).reshape(-1, len(TABLES))
        self.right = np.array([right(j) for j in self.chosen], dtype=np.int8)
        self.is_alone, self.avoid = is_alone, avoid


def plain_pronoun(mentions, i):
    """The case of a pronoun in running news that leaves no choice: one person whom it can mean in this sentence and the
    three before it. None where there is a choice."""
    me = mentions[i]
    opposite = CLASSES.index("woman" if me["class"] == HE else "man")
    near = {m["name"] for m in mentions[max(0, i - LOOK_BACK):i]
            if m["class"] in PEOPLE and m["class"] != opposite and me["sentence"] - m["sentence"] <= 3}
    if len(near) != 1:
        return []
    return [Case(mentions, i, lambda j: -1 if mentions[j]["name"] is None else int(mentions[j]["name"] in near))]


def cases(document):
    """The anaphors of a document of which the corpus says something."""
    mentions, out = document["mentions"], []
    if "pronoun" in document:
        right, wrong, i = set(document["right"]), set(document["wrong"]), document["pronoun"]

        def gap(j):
            name = mentions[j]["name"]
            return -1 if name is None else int(name in (wrong if wrong else right))

        if right or wrong:
            out.append(Case(mentions, i, gap, avoid=bool(wrong)))
        return out
    chains, names_only = document["chains"], document.get("names_only", False)
    members = {}
    for j, chain in enumerate(chains):
        members.setdefault(chain, []).append(j)
    for i, m in enumerate(mentions):
        if names_only and chains[i] == UNKNOWN and m["class"] in (HE, SHE) and m["source"] is not None:
            out += plain_pronoun(mentions, i)
        if m["class"] not in ANAPHORS or chains[i] == UNKNOWN:
            continue

        def right(j):
            if names_only and mentions[j]["class"] not in NAMES:
                return -1
            return int(chains[j] == chains[i])
        case = Case(mentions, i, right)
        if not (case.right == 1).any():
            if names_only:
                continue
            # Somebody too far away, or out of the candidates, is no reason to say "nobody".
            others = [j for j in members[chains[i]] if j < i and mentions[j]["class"] in NAMES]
            if others:
                continue
            case.is_alone = True
        out.append(case)
    return out


def documents_of(path, given):
    """The documents that `coreference_data.py` wrote to PATH.jsonl. People of whom no title tells the gender get it from
    their given names; `given`: {"man": [...], "woman": [...], ...}, or the file of it."""
    given = given if isinstance(given, dict) else json.loads(given.read_text())
    classes = {name: CLASSES.index(kind) for kind in ("man", "woman") for name in given[kind]}
    with open(f"{path}.jsonl", encoding="utf-8") as lines:
        for document in map(json.loads, lines):
            for mention in document["mentions"]:
                mention["class"] = classes.get(mention.get("given"), mention["class"])
            yield document


def load(path, given):
    """(document, (first, last) states of its mentions) of what `coreference_data.py` wrote to PATH.jsonl and PATH.npy."""
    states, row, out = np.load(f"{path}.npy"), 0, []
    for document in documents_of(path, given):
        own = torch.from_numpy(states[row:row + len(document["mentions"])])
        row += len(own)
        out.append((document, (own[:, 0], own[:, 1])))
    return out


def loss(head, vectors, mentions, chosen, index):
    """Sum of the anaphors' losses. `index`: mention -> row of `vectors`, for the mentions that are there."""
    left, right, features, labels, owner, kept = [], [], [], [], [], []
    for case in chosen:
        if case.anaphor not in index:
            continue
        use = [k for k, j in enumerate(case.chosen) if j in index and case.right[k] >= 0]
        has_right = any(case.right[k] == 1 for k in use)
        if not has_right and not case.is_alone and not case.avoid:
            continue
        if case.avoid and not has_right:
            continue
        for k in use:
            left.append(index[case.anaphor])
            right.append(index[case.chosen[k]])
            owner.append(len(kept))
        features.append(case.features[use])
        labels += [int(case.right[k]) for k in use]
        kept.append(case)
    if not kept:
        return vectors.new_zeros(()), 0
    anaphors = [index[c.anaphor] for c in kept]
    classes = torch.tensor([mentions[c.anaphor]["class"] for c in kept])
    sources = torch.tensor([int(mentions[c.anaphor]["source"] is not None) for c in kept])
    none = head.none(vectors[anaphors], classes, sources)
    owner, labels = torch.tensor(owner, dtype=torch.long), torch.tensor(labels, dtype=torch.bool)
    if len(owner):
        scores = head.pairs(vectors, torch.tensor(left), torch.tensor(right), torch.from_numpy(np.concatenate(features)).long())
    else:
        scores = vectors.new_zeros(0)
    n = len(kept)
    alone = torch.tensor([c.is_alone for c in kept])
    avoid = torch.tensor([c.avoid for c in kept])
    everything = torch.cat([scores, none])
    owners = torch.cat([owner, torch.arange(n)])
    marked = torch.cat([labels, alone])
    top = torch.full((n,), -1e9).scatter_reduce(0, owners, everything.detach(), "amax")
    weight = (everything - top[owners]).exp()
    total = torch.zeros(n).index_add(0, owners, weight)
    hit = torch.zeros(n).index_add(0, owners, weight * marked)
    probability = hit / total
    # GAP's "neither": everything but the two names may be right.
    probability = torch.where(avoid, 1 - probability, probability)
    return -(probability.clamp(1e-6, 1)).log().sum(), n


@torch.no_grad()
def resolve(head, vectors, mentions, spoke_last=SPOKE_LAST):
    """Per anaphor (by mention index) the probabilities of the document's names: {name: probability}; what is missing is
    nobody's."""
    names, classes = {}, {m["name"]: m["class"] for m in mentions if m["name"] is not None}
    for i, m in enumerate(mentions):
        if m["class"] not in ANAPHORS:
            continue
        chosen = candidates(mentions, i)
        none = head.none(vectors[i:i + 1], torch.tensor([m["class"]]), torch.tensor([int(m["source"] is not None)]))
        scores = none
        if chosen:
            features = torch.tensor(pair_features(mentions, i, chosen))
            scores = torch.cat([none, head.pairs(vectors, torch.full((len(chosen),), i), torch.tensor(chosen), features)
                                + torch.tensor(corrections(mentions, i, chosen, spoke_last))])
        found = {}
        for j, p in zip(chosen, torch.softmax(scores, 0)[1:].tolist()):
            if mentions[j]["name"] is not None:
                found[mentions[j]["name"]] = found.get(mentions[j]["name"], 0.0) + p
            else:
                for name, q in names.get(j, {}).items():
                    if is_impossible(m["class"], classes[name]):
                        continue
                    found[name] = found.get(name, 0.0) + p * q
        names[i] = found
    return names
