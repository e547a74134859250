"""Kinds of mentions, in the order of the coreference head's tables (`MENTION_CLASSES` of src/model/coreference.rs)."""

CLASSES = ("person", "man", "woman", "organisation", "group", "place", "building", "he", "she", "they", "it", "who", "I",
           "we", "nominal", "definite")
NAMES = range(0, 7)
PEOPLE = range(0, 3)
HE, SHE, NOMINAL, DEFINITE = (CLASSES.index(name) for name in ("he", "she", "nominal", "definite"))
# Number of the chain of a mention of which nothing is known.
UNKNOWN = -2
