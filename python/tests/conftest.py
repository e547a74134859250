"""What several tests need: an Extractor, the articles of the Rust tests, and the command to compare with."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from onrecord import Extractor

ROOT = Path(__file__).resolve().parents[2]
# As they are: one of them ends its lines as Windows does.
ARTICLES = {path.stem: path.read_bytes().decode() for path in sorted((ROOT / "tests/fixtures/articles").glob("*.txt"))}
BINARY = Path(os.environ.get("ONRECORD_BINARY", ROOT / "target/debug/onrecord")).resolve()


@pytest.fixture(scope="session")
def extractor():
    return Extractor(threads=2, precision="int8")


class Command:
    """Runs the command in a directory, with an environment free of its own variables."""

    def __init__(self, directory):
        self.directory = directory

    def __call__(self, *arguments, input=None):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
        return subprocess.run(
            [BINARY, *arguments],
            cwd=self.directory, env=environment, input=input, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip

    def extract(self, texts, *flags):
        """What `onrecord extract` says of texts, in their order."""
        lines = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items())
        flags = ["--precision", "int8", "--input-format", "jsonl", "--output-format", "jsonl", *flags]
        return [json.loads(line) for line in self("extract", *flags, input=lines).stdout.splitlines()]


@pytest.fixture
def command(tmp_path):
    return Command(tmp_path)


@pytest.fixture
def extract(command):
    return command.extract


@pytest.fixture(scope="module")
def module_extract(tmp_path_factory):
    return Command(tmp_path_factory.mktemp("command")).extract
