"""A folder in which the blocks of one document run one after the other, as a reader would run them."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
from markdown import ROOT, Block

# How many blocks of each language ran, and which were not run, and why.
RUN: Counter[str] = Counter()
NOT_RUN: list[tuple[str, str]] = []

ARTICLES = ROOT / "tests/fixtures/articles"
SECONDS = 120
# What the documentation calls its own server, and the feed in its recipes.
SERVER = "127.0.0.1:8080"
FEEDS = "127.0.0.1:8000"


class BlockError(AssertionError):
    """A block did not do what it says."""

    def __init__(self, block: Block, message: str) -> None:
        super().__init__(f"{block.place}: {message}")


class Workshop:
    """Runs blocks in a folder. Python remembers names from one block to the next, and so does DuckDB its tables."""

    def __init__(self, folder: Path, tools: Path, addresses: dict[str, str]) -> None:
        self.folder = folder
        self.addresses = addresses
        self.output = ""
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.database = duckdb.connect()
        own = ("ONRECORD_", "HF_", "NO_COLOR")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        self.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
        self.environment["ONRECORD_BINARY"] = os.environ["ONRECORD_BINARY"]
        # A reader's models are beside the program, or where it is called.
        self.environment["ONRECORD_MODELS"] = str(ROOT / "models")
        # For scripts/stream.py, and so that curl fails where the server refuses.
        self.environment |= {"ONRECORD_URL": f"http://{addresses[SERVER]}", "CURL_HOME": str(tools)}

    def run(self, block: Block) -> None:
        """Runs a block, or checks it, by its language and by what the comment before it says."""
        code = block.code
        for written, real in self.addresses.items():
            code = code.replace(written, real)
        if block.note == "file":
            (self.folder / str(block.argument)).write_text(code, encoding="utf-8")
        elif block.note == "output":
            if code.strip() != self.output.strip():
                raise BlockError(block, f"the output of the block before it is\n{self.output}\nand not\n{code}")
        elif block.language == "sh":
            self._command(block, ["bash", "-euo", "pipefail", "-c", code])
        elif block.language == "js":
            self._command(block, ["node", "--input-type=module", "--eval", code])
        elif block.language == "python":
            self._python(block, code)
        elif block.language == "sql":
            self._sql(block, code)
        elif block.language == "json":
            check_json(block, code)
        elif block.language != "text":
            known = "sh, python, sql, js, json, text"
            raise BlockError(block, f"{block.language!r} is none of {known}: say what it is, or <!-- not run: why -->")

    def _command(self, block: Block, command: list[str]) -> None:
        run = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", timeout=SECONDS, check=False,
        )  # fmt: skip
        self.output = run.stdout
        if run.returncode:
            raise BlockError(block, f"exit code {run.returncode}\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}")

    def _sql(self, block: Block, code: str) -> None:
        found = self.database.sql(code)
        # A question that nothing answers shows a reader nothing, and may ask for what is not there.
        if found is not None and not found.limit(1).fetchall():
            raise BlockError(block, "it finds no rows")
        self.output = str(found)

    def _python(self, block: Block, code: str) -> None:
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                # Empty lines first: errors then name the line of the document.
                exec(compile("\n" * block.line + code, block.document, "exec"), self.names)
        except Exception as error:
            raise BlockError(block, traceback.format_exc()) from error
        self.output = output.getvalue()


def check_json(block: Block, code: str) -> None:
    """One value, or one a line."""
    try:
        json.loads(code)
    except ValueError as error:
        try:
            lines = [json.loads(line) for line in code.splitlines()]
        except ValueError:
            raise BlockError(block, f"no JSON: {error}") from error
        if len(lines) < 2:
            raise BlockError(block, "no JSON") from error


def furnish(folder: Path) -> None:
    """Puts there what the documentation takes for granted: articles in every form, and this repository's own files."""
    import pyarrow
    import pyarrow.parquet

    for name in ("docs", "scripts", "tests"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "my-model").symlink_to(ROOT / "models/onrecord-small")
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(ARTICLES.glob("*.txt"))}
    for name in ("archive", "articles", "news"):
        shutil.copytree(ARTICLES, folder / name)
    for name, article in (("article.txt", "harbour.txt"), ("other.txt", "strike.txt")):
        (folder / name).write_text(texts[article], encoding="utf-8")
    rows = [
        {
            "id": name,
            "url": f"https://news.example/{name}",
            "title": text.partition(".")[0],
            "published": f"2026-11-{day:02}",
            "outlet": "The Daily Example" if day % 2 else "Example Weekly",
            "text": text,
            "body": text,
        }
        for day, (name, text) in enumerate(texts.items(), start=1)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for name in ("feed.jsonl", "articles.jsonl"):
        (folder / name).write_text(lines, encoding="utf-8")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "articles.parquet")
    for name in ("gold.jsonl", "corrected.gold.jsonl"):
        shutil.copy(ROOT / "tests/fixtures/eval/gold.jsonl", folder / name)
