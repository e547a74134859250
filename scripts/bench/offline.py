"""What `onrecord extract` says of texts, for the scripts that compare a server with it."""

import json
import subprocess
from pathlib import Path

ARTICLES = Path(__file__).resolve().parents[2] / "tests/fixtures/articles"


def articles():
    """The articles among the fixtures."""
    return [path.read_bytes().decode() for path in sorted(ARTICLES.glob("*.txt"))]


def without_id(result):
    return {name: value for name, value in result.items() if name != "id"}


def expected(binary, texts):
    """The result of each text, without an id."""
    lines = "".join(json.dumps({"id": str(number), "text": text}) + "\n" for number, text in enumerate(texts))
    command = [binary, "extract", "--input-format", "jsonl", "--output-format", "jsonl"]
    run = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return {text: without_id(json.loads(line)) for text, line in zip(texts, run.stdout.splitlines(), strict=True)}
