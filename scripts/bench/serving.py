"""What the Python contenders share: the windows, their batches, and the answers to the benchmark's requests."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# Token kinds per shape: one for each gap (src/text/features.rs).
GAPS = 4


class Batch:
    """Some windows side by side, padded to the longest."""

    def __init__(self, windows, indices):
        self.indices = indices
        self.lengths = np.array([len(windows[index]["ids"]) for index in indices])
        self.ids = self.padded([windows[index]["ids"] for index in indices])
        self.shapes = self.padded([windows[index]["shapes"] for index in indices])
        self.gaps = self.padded([windows[index]["gaps"] for index in indices])
        # Shape and gap as one: plain BERT adds a single embedding of the token's kind.
        self.kinds = self.shapes * GAPS + self.gaps
        self.mask = (np.arange(self.lengths.max())[None] < self.lengths[:, None]).astype(np.int64)

    def padded(self, rows):
        table = np.zeros((len(rows), self.lengths.max()), np.int64)
        for place, row in zip(table, rows):
            place[:len(row)] = row
        return table


def batches_of(windows, size, padding):
    """Batches of like length, at most `size` windows each; without padding, of equal length."""
    order = sorted(range(len(windows)), key=lambda index: len(windows[index]["ids"]))
    groups = []
    for index in order:
        fits = groups and len(groups[-1]) < size
        if fits and (padding or len(windows[groups[-1][0]]["ids"]) == len(windows[index]["ids"])):
            groups[-1].append(index)
        else:
            groups.append([index])
    return [Batch(windows, group) for group in groups]


def write_states(path, batches, outputs):
    """The hidden states of all windows in their order, special tokens left out."""
    states = {}
    for batch, output in zip(batches, outputs):
        for index, length, rows in zip(batch.indices, batch.lengths, np.asarray(output)):
            states[index] = rows[1:length - 1]
    np.concatenate([states[index] for index in sorted(states)]).astype("<f4").tofile(path)


def serve(ready, windows_file, run, prepare=lambda batch: batch, padding=True, workers=1):
    """Answers requests until standard input ends.

    `prepare` turns a batch into what `run` wants, outside the timing. With more than one worker, that many batches
    run at the same time.
    """
    with open(windows_file, encoding="utf-8") as file:
        cases = {case["name"]: case["windows"] for case in json.load(file)["cases"]}
    pool = ThreadPoolExecutor(workers)
    run_all = (lambda inputs: list(pool.map(run, inputs))) if workers > 1 else (lambda inputs: [run(i) for i in inputs])
    prepared = {}
    print(json.dumps({"ready": ready}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        key = request["case"], request["batch"]
        if key not in prepared:
            batches = batches_of(cases[request["case"]], request["batch"], padding)
            prepared[key] = batches, [prepare(batch) for batch in batches]
        batches, inputs = prepared[key]
        if "states" in request:
            write_states(request["states"], batches, run_all(inputs))
        began = time.perf_counter()
        for _ in range(request.get("repeats", 0)):
            run_all(inputs)
        print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)
