"""Coreference: which mention a pronoun or a description goes back to.

The same candidates, features and probabilities as `src/decode/resolve.rs`; `parity.py` records them for a test.
"""

import json
import math

import numpy as np
import torch
from torch import nn

from corpora.mention_classes import CLASSES, DEFINITE, HE, NAMES, NOMINAL, PEOPLE, SHE, UNKNOWN

WIDTH, HIDDEN = 128, 128
CANDIDATES, LOOK_BACK, FOLLOWING = 64, 256, 3
THEY, IT, WHO = (CLASSES.index(name) for name in ("they", "it", "who"))
ANAPHORS = (HE, SHE, THEY, IT, WHO, NOMINAL, DEFINITE)
GENDERED = (CLASSES.index("man"), CLASSES.index("woman"))
BODIES = tuple(k for k in NAMES if k not in PEOPLE)

# What each kind of anaphor may go back to.
COMPATIBLE = {
    HE: {*PEOPLE, HE, NOMINAL, DEFINITE}, SHE: {*PEOPLE, SHE, NOMINAL, DEFINITE},
    THEY: {*NAMES, THEY, NOMINAL, DEFINITE}, IT: {*BODIES, IT, NOMINAL, DEFINITE}, WHO: {*NAMES, NOMINAL, DEFINITE},
    NOMINAL: {*NAMES, HE, SHE, THEY, IT, NOMINAL, DEFINITE}, DEFINITE: {*NAMES, HE, SHE, THEY, IT, NOMINAL, DEFINITE},
}
# Sizes of the tables of pair features, in the order of `pair_features`.
TABLES = {"distance": 40, "sentence": 9, "paragraph": 6, "classes": len(CLASSES) ** 2, "flags": 64, "frequency": 6, "rank": 8,
          "described": 2}


def steps(value, borders):
    """The number of borders that a value has reached."""
    return sum(value >= border for border in borders)


def candidates(mentions, i):
    """Indices of the mentions that mention `i` may go back to: nearest first, then those that follow in its sentence."""
    me, found, following = mentions[i], [], []
    allowed = COMPATIBLE[me["class"]]
    for j in range(i - 1, max(-1, i - 1 - LOOK_BACK), -1):
        if mentions[j]["class"] in allowed and mentions[j]["last"] < me["first"]:
            found.append(j)
            if len(found) == CANDIDATES:
                break
    for j in range(i + 1, min(len(mentions), i + 1 + LOOK_BACK)):
        if mentions[j]["sentence"] != me["sentence"] or len(following) == FOLLOWING:
            break
        if mentions[j]["class"] in allowed and mentions[j]["class"] in NAMES and mentions[j]["first"] > me["last"]:
            following.append(j)
    return found + following


def pair_features(mentions, i, chosen):
    """One row a candidate: an index into each of TABLES."""
    me, out, names, source_seen = mentions[i], [], set(), False
    for j in chosen:
        other, follows = mentions[j], j > i
        distance = abs(me["first"] - other["first"])
        last_source = other["source"] is not None and not source_seen and not follows
        source_seen |= last_source
        same = me["content"] is not None and me["content"] == other["content"]
        flags = ((me["source"] is not None) | (other["source"] is not None) << 1 | last_source << 2
                 | (me["content"] is not None) << 3 | (other["content"] is not None) << 4 | same << 5)
        out.append((
            min(19, math.floor(2 * math.log2(max(1, distance)))) + 20 * follows,
            steps(abs(me["sentence"] - other["sentence"]), (1, 2, 3, 4, 5, 7, 10, 15)),
            steps(abs(me["paragraph"] - other["paragraph"]), (1, 2, 3, 4, 6)),
            me["class"] * len(CLASSES) + other["class"],
            flags,
            steps(other["frequency"], (1, 2, 3, 5, 9)),
            0 if follows else min(7, len(names)),
            int(other["name"] is not None and other["name"] in me.get("described", ())),
        ))
        if other["name"] is not None:
            names.add(other["name"])
    return out


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


# As in src/decode/resolve.rs, where it is explained.
SPOKE_LAST = 1.5


def is_impossible(anaphor, name):
    """Whether a pronoun cannot mean a name of such a class, whatever its score."""
    if anaphor in (HE, SHE):
        return name not in PEOPLE
    if anaphor == THEY:
        return name in GENDERED
    return anaphor == IT and name in PEOPLE


def corrections(mentions, i, chosen, spoke_last=SPOKE_LAST):
    """What is added to the scores of the candidates: number, and that he who spoke goes on speaking."""
    me, out = mentions[i], []
    is_last = me["class"] in (HE, SHE, IT) and me["source"] is not None
    for j in chosen:
        other = mentions[j]
        if other["name"] is not None and is_impossible(me["class"], other["class"]):
            out.append(-math.inf)
        else:
            is_speaker = is_last and other.get("speaks", False) and j < i
            is_last &= not is_speaker
            out.append(spoke_last if is_speaker and me["sentence"] - other["sentence"] <= 1 else 0.0)
    return out


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
