#!/usr/bin/env python3
"""Times the whole command: one article from process start to output, and a file of articles.

    scripts/eval/speed.py [ARTICLES.jsonl]        # default ../shared/data/polnear.dev.jsonl

Builds target/release/onrecord first (cargo build --release). Prints medians of several runs and the peak memory.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ONRECORD = ROOT / "target/release/onrecord"


def timed(arguments):
    """Seconds and peak memory in MiB of one run."""
    began = time.monotonic()
    process = subprocess.Popen([ONRECORD, "extract", "--output-format", "jsonl", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"onrecord failed on {arguments}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def report(name, arguments, runs, documents=None):
    timed(arguments)
    seconds, memory = zip(*(timed(arguments) for _ in range(runs)))
    middle = statistics.median(seconds)
    rate = f", {documents / middle:.2f} articles/s" if documents else ""
    print(f"{name}: median {middle:.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, {runs} runs){rate}, "
          f"peak memory {max(memory):.0f} MiB")


def main():
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
    articles = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "../shared/data/polnear.dev.jsonl")
    with tempfile.TemporaryDirectory() as directory:
        fixtures = ROOT / "tests/fixtures/articles"
        text = "".join((fixtures / f"{name}.txt").read_text() for name in ("harbour", "spokesman"))[:3000]
        article = Path(directory) / "article.txt"
        article.write_text(text)
        report(f"one article of {len(text)} characters", [article], 7)
        if articles.exists():
            count = sum(1 for line in open(articles, encoding="utf-8") if line.strip() and json.loads(line))
            report(f"{count} articles of {articles.name}", [articles], 3, count)


if __name__ == "__main__":
    main()
