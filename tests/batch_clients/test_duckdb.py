"""The README's examples of `onrecord batch`, word for word, and what DuckDB reads of its parts.

    ONRECORD_BINARY=target/debug/onrecord python3 -m unittest discover -s tests/batch_clients
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]
ARTICLES = ROOT / "tests/fixtures/articles"


def section():
    """The README's section on archives."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"^## Archives\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE).group(1)


@unittest.skipUnless(os.environ.get("ONRECORD_BINARY"), "ONRECORD_BINARY is not set")
class Examples(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        # What the README calls news: articles, and a feed of the same.
        shutil.copytree(ARTICLES, cls.folder / "news")
        texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(ARTICLES.glob("*.txt"))}
        rows = [{"url": name, "body": text, "published": "2026-11-25"} for name, text in texts.items()]
        with open(cls.folder / "feed.jsonl", "w", encoding="utf-8") as feed:
            feed.writelines(json.dumps(row) + "\n" for row in rows)
        cls.commands = [
            line.strip().partition(" #")[0].strip()
            for line in section().splitlines()
            if line.startswith("    onrecord ")
        ]
        binaries = cls.folder / "bin"
        binaries.mkdir()
        (binaries / "onrecord").symlink_to(Path(os.environ["ONRECORD_BINARY"]).resolve())
        cls.environment = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
        cls.environment["PATH"] = f"{binaries}:{os.environ['PATH']}"
        for command in cls.commands:
            run = subprocess.run(
                command, shell=True, cwd=cls.folder, env=cls.environment, capture_output=True, text=True, check=False
            )
            if run.returncode:
                raise AssertionError(f"{command}: exit code {run.returncode}: {run.stderr}")

    def query(self, query):
        connection = duckdb.connect()
        connection.execute(f"SET file_search_path = '{self.folder}'")
        return connection.execute(query).fetchall()

    def extract(self):
        """What `onrecord extract` says of the same articles."""
        command = ["onrecord", "extract", "--output-format", "jsonl", *sorted(f"news/{path.name}" for path in ARTICLES.glob("*.txt"))]
        run = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True,
            executable=self.folder / "bin/onrecord",
        )
        return [json.loads(line) for line in run.stdout.splitlines()]

    def test_all_commands_are_there(self):
        self.assertGreaterEqual(len(self.commands), 4, self.commands)

    def test_who_was_quoted_most(self):
        query = re.search(r"```sql\n(.*?)```", section(), re.DOTALL).group(1)
        counts = {}
        for document in self.extract():
            for statement in document["statements"]:
                if statement["speaker"] and statement["act"] == "speech":
                    name = statement["speaker"]["name"]
                    counts[name] = counts.get(name, 0) + 1
        expected = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]
        self.assertEqual(self.query(query), expected)
        self.assertGreater(expected[0][1], 2)

    def test_nested_rows_are_the_results_of_extract(self):
        rows = self.query("SELECT id, len(statements), len(entities), statements FROM 'results/*.parquet'")
        expected = self.extract()
        found = {name: (statements, entities) for name, statements, entities, _ in rows}
        counts = {one["id"]: (len(one["statements"]), len(one["entities"])) for one in expected}
        self.assertEqual(found, counts)
        for (*_, statements), document in zip(sorted(rows), expected):
            self.assertEqual(statements, document["statements"])

    def test_kept_columns_are_there(self):
        rows = self.query("SELECT DISTINCT published FROM 'feed-results/*.parquet'")
        self.assertEqual(rows, [("2026-11-25",)])


if __name__ == "__main__":
    unittest.main()
