"""What a run sees: the training files of a data directory, a share of each in every epoch, in batches of windows."""

import math
import random
from pathlib import Path

from corpora.examples import examples
from corpora.readers import DATASETS, EXTRA, TokenRows, read_extra, read_statements, sha256, shares_of, training_file


class Epochs:
    """The batches of each epoch, the same for the same options.

    `coreference`: a `CoreferenceCorpus` whose windows are seen besides, or None. `files`: the training files' hashes."""

    def __init__(self, options, tokenizer, coreference=None):
        self.options, self.tokenizer, self.coreference = options, tokenizer, coreference
        self.shares, self.files, self.known = shares_of(options.shares), {}, {}
        self.changed = shares_of(options.perturbed), shares_of(options.recased)
        self.readers = {name: self.reader(options.data, *DATASETS[name][:2]) for name in DATASETS if name not in options.without}
        self.readers |= {path: self.extra_reader(path) for path in options.extra}

    def reader(self, data, stem, head):
        """function(rng) -> documents of a training file."""
        path = training_file(data, stem)
        self.files[path.name] = sha256(path)
        if head == "statement":
            documents = read_statements(path)
            return lambda rng: documents
        corrections = Path(data) / f"{stem}_train_corrections.jsonl"
        if corrections.exists():
            self.files[corrections.name] = sha256(corrections)
        corpus = TokenRows(path, head, corrections if corrections.exists() else None)
        return lambda rng: corpus.documents(0.5, rng)

    def extra_reader(self, path):
        documents = read_extra(path)
        self.files[EXTRA + Path(path).name] = sha256(path)
        return lambda rng: documents

    def documents(self, name, epoch, rng):
        """Those of a data set that this epoch sees: what one leaves out has its turn in the next. What is extra is seen whole."""
        documents, share = self.readers[name](rng), self.shares.get(name, 1)
        if share >= 1:
            return documents
        order = random.Random(f"{self.options.seed}/{name}").sample(range(len(documents)), len(documents))
        number = math.ceil(share * len(documents))
        return [documents[order[(epoch * number + k) % len(documents)]] for k in range(number)]

    def batches(self, epoch):
        """Windows of like length together, batches shuffled."""
        rng, size = random.Random(f"{self.options.seed}/{epoch}"), self.options.batch
        windows = []
        for name in self.readers:
            windows += examples(self.documents(name, epoch, rng), self.tokenizer, rng, self.known if name == "polnear" else None,
                                *(share.get(name, 0.0) for share in self.changed))
        if self.coreference:
            windows += self.coreference.examples(rng, self.options.coreference_share)
        rng.shuffle(windows)
        batches = []
        for at in range(0, len(windows), size * 20):
            group = sorted(windows[at:at + size * 20], key=lambda window: len(window.ids))
            batches += [group[k:k + size] for k in range(0, len(group), size)]
        rng.shuffle(batches)
        return batches
