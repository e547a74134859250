#!/usr/bin/env python3
"""Draws docs/images/scores.svg: how well scores are calibrated, and what --min-score leaves.

    plots.py --data DATA --tools TOOLS --onrecord target/release/onrecord --model MODEL [--to docs/images/scores.svg]

MODEL is a directory without "scores" in its config.json, as for scores.py, whose numbers these are. Needs matplotlib.
"""

import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plot  # noqa: E402

from calibration import bins, calibrated, fitted  # noqa: E402
from polnear import parser  # noqa: E402
from scores import BINS, all_rows, crossed  # noqa: E402

NAMES = {"statements": "statements, to the letter", "content": "contents", "source": "sources", "cue": "cues",
         "conll4": "entities (CoNLL-2003)", "news9": "entities (Worldwide)"}


def means(part):
    return sum(s for s, _ in part) / len(part), sum(r for _, r in part) / len(part)


def main():
    flags = parser(__doc__)
    flags.add_argument("--to", default="docs/images/scores.svg")
    options = flags.parse_args()
    sys.path.insert(0, str(options.tools))
    tables, lenient, number = all_rows(options)

    plot.rcParams.update({"font.size": 9, "svg.hashsalt": "onrecord", "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, right) = plot.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    left.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    for what, name in NAMES.items():
        left.plot(*zip(*map(means, bins(crossed(tables[what], 0), BINS))), marker="o", markersize=3, linewidth=1, label=name)
    left.set(xlabel="score", ylabel="share that is right", title="Scores are probabilities", xlim=(0, 1), ylim=(0, 1))
    left.legend(frameon=False, fontsize=8)

    fit = fitted([row for document in tables["statements"].values() for row in document])
    marks = [hundredths / 100 for hundredths in range(0, 96)]
    kept = [[is_right for score, is_right in lenient if calibrated(score, fit) >= mark] for mark in marks]
    right.plot(marks, [sum(k) / max(1, len(k)) for k in kept], label="precision (lenient)")
    right.plot(marks, [sum(k) / number for k in kept], label="recall (lenient)")
    right.axhline(0.9, color="0.8", linewidth=1)
    right.set(xlabel="--min-score", title="What --min-score leaves of the statements", xlim=(0, 1), ylim=(0, 1))
    right.legend(frameon=False, loc="lower left")
    figure.savefig(options.to, metadata={"Date": None})


if __name__ == "__main__":
    main()
