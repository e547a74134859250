"""Tests of the shares of corpora."""

import gzip
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from stages import data


class Shares(unittest.TestCase):
    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.corpora, self.to = self.directory / "corpora", self.directory / "to"
        self.corpora.mkdir()
        for name in ("a.train", "a.dev", "b", "ab.train"):
            rows = [{"id": f"{name} {k}", "doc": f"document {k // 2}"} for k in range(200)]
            (self.corpora / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (self.corpora / "packed.jsonl.gz").write_bytes(gzip.compress((self.corpora / "b.jsonl").read_bytes()))

    def run_stage(self, *flags):
        with mock.patch.object(sys, "argv", ["data", "--from", str(self.corpora), "--to", str(self.to), *flags]), \
                mock.patch("builtins.print"):
            data.main()

    def documents(self, name):
        return {json.loads(line)["doc"] for line in (self.to / name).read_text().splitlines()}

    def test_all_of_a_corpus_and_nothing_else(self):
        self.run_stage("--corpora", "a")
        self.assertEqual({path.name for path in self.to.iterdir()}, {"a.train.jsonl", "a.dev.jsonl", "data.json"})
        self.assertEqual((self.to / "a.train.jsonl").read_bytes(), (self.corpora / "a.train.jsonl").read_bytes())

    def test_whole_documents_by_chance_the_same_each_time(self):
        self.run_stage("--corpora", "a", "--share", "0.3")
        some, text = self.documents("a.train.jsonl"), (self.to / "a.train.jsonl").read_text()
        self.assertTrue(15 < len(some) < 45, len(some))
        self.assertEqual(text.count("\n"), 2 * len(some))
        self.run_stage("--corpora", "a", "--share", "0.3")
        self.assertEqual((self.to / "a.train.jsonl").read_text(), text)
        self.run_stage("--corpora", "a", "--share", "0.5")
        self.assertLess(some, self.documents("a.train.jsonl"))
        self.run_stage("--corpora", "a", "--share", "0.3", "--seed", "2")
        self.assertNotEqual(some, self.documents("a.train.jsonl"))

    def test_dev_files_stay_whole(self):
        self.run_stage("--corpora", "a", "--share", "0.01")
        self.assertEqual(len(self.documents("a.dev.jsonl")), 100)

    def test_one_document_is_always_there(self):
        self.run_stage("--corpora", "a", "--share", "0.0001")
        self.assertEqual(len(self.documents("a.train.jsonl")), 1)

    def test_corpora_have_shares_of_their_own(self):
        self.run_stage("--corpora", "a", "--corpora", "b", "--shares", "b=0.1")
        self.assertEqual((len(self.documents("a.train.jsonl")), len(self.documents("b.jsonl")) < 30), (100, True))
        with self.assertRaisesRegex(SystemExit, "--shares names c"):
            self.run_stage("--corpora", "a", "--shares", "c=0.1")

    def test_packed_files_stay_packed(self):
        self.run_stage("--corpora", "packed", "--share", "0.1")
        lines = gzip.decompress((self.to / "packed.jsonl.gz").read_bytes()).splitlines()
        self.assertTrue(0 < len(lines) < 60)

    def test_what_is_not_there_is_refused_by_name(self):
        with self.assertRaisesRegex(SystemExit, "has no corpus nothing: neither nothing.jsonl nor nothing.train.jsonl"):
            self.run_stage("--corpora", "nothing")

    def test_the_list_keeps_its_time_while_nothing_changes(self):
        self.run_stage("--corpora", "a", "--share", "0.3")
        before = (self.to / "data.json").stat().st_mtime_ns
        self.run_stage("--corpora", "a", "--share", "0.3")
        self.assertEqual((self.to / "data.json").stat().st_mtime_ns, before)


if __name__ == "__main__":
    unittest.main()
