"""Windows of the coreference corpora: the encoder learns from the pairs of mentions that stand in one window.

`coreference_data.py` wrote the documents; `train_coreference.py` trains the heads that are shipped, across windows, once
the encoder is finished.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from corpora.features import MAX_WINDOW, special_tokens, tokenise, windows
from model.coreference import cases, documents_of

# corpus -> share of its documents seen in an epoch
SHARES = {"gum": 1.0, "gap": 1.0, "litbank": 0.5, "parcorfull": 1.0, "polnear": 0.25, "worldwide": 0.25}
ANAPHORS = 40  # of one window


@dataclass
class CoreferenceExample:
    head: str
    ids: list
    shapes: list
    gaps: list
    mentions: list  # of the whole document
    cases: list     # anaphors of this window with a right answer in it
    places: dict    # mention -> (first, last), window positions ([CLS] is 0)

    @property
    def plain_shapes(self):
        return self.shapes


class CoreferenceCorpus:
    def __init__(self, directory, tokenizer):
        self.corpora, self.tokenizer = {}, tokenizer
        for name in SHARES:
            if not (Path(directory) / f"{name}.jsonl").exists():
                continue
            found = [(d, cases(d)) for d in documents_of(Path(directory) / name, Path(directory) / "given_names.json")]
            self.corpora[name] = [[d, c, None] for d, c in found if c]

    def examples(self, rng, share=1.0):
        """The windows of one epoch, or a share of them."""
        out = []
        for name, entries in self.corpora.items():
            for entry in rng.sample(entries, round(share * SHARES[name] * len(entries))):
                out += self.windows(entry, rng)
        return out

    def windows(self, entry, rng):
        document, found, tokens = entry
        if tokens is None:
            tokens = entry[2] = tokenise(self.tokenizer, document["text"])
            for m in document["mentions"]:
                assert tokens.offsets[m["first"]][0] <= m["start"] < tokens.offsets[m["first"]][1], document["id"]
        cls, sep = special_tokens(self.tokenizer)
        for start, end in windows(tokens, document["text"], first=rng.randint(64, MAX_WINDOW - 2)):
            places = {j: (m["first"] - start + 1, m["last"] - start + 1) for j, m in enumerate(document["mentions"])
                      if start <= m["first"] and m["last"] < end}
            here = [c for c in found if c.anaphor in places and (
                c.is_alone or c.avoid or any(r == 1 and j in places for j, r in zip(c.chosen, c.right)))]
            if here:
                here = rng.sample(here, min(ANAPHORS, len(here)))
                yield CoreferenceExample(
                    "coreference", [cls] + tokens.ids[start:end] + [sep], [0] + tokens.shapes[start:end] + [0],
                    [0] + tokens.gaps[start:end] + [0], document["mentions"], here, places)
