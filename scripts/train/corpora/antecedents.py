"""Antecedents: which mentions an anaphor may go back to, and what is known of each pair.

The same as in `src/decode/speakers/resolve.rs`, which must find it for the product: `tests/fixtures/antecedents.json` has what
both make of the mentions of real documents, and `tests/test_antecedents.py` and a test beside the Rust code hold them to it.
"""

import math

from corpora.mention_classes import CLASSES, DEFINITE, HE, NAMES, NOMINAL, PEOPLE, SHE

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


# As in src/decode/speakers/resolve.rs, where it is explained.
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
