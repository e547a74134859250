"""Tests of the training readers that need nothing but Python."""

import json
import random
import tempfile
import unittest
from pathlib import Path

from corpora import readers


class HeldOutFiles(unittest.TestCase):
    def test_dev_and_test_files_are_refused(self):
        for stem in ("polnear.dev", "polnear.dev.jsonl", "conll2003.test", "uner_ewt.dev", "polnear.Test.jsonl"):
            with self.assertRaises(readers.HeldOut, msg=stem):
                readers.training_file("data", stem)

    def test_training_files_pass(self):
        for stem in ("polnear", "polnear.train", "polnear.train.jsonl"):
            self.assertEqual(readers.training_file("data", stem), Path("data/polnear.train.jsonl"))

    def test_every_data_set_reads_a_training_file(self):
        for stem, head, licence in readers.DATASETS.values():
            self.assertTrue(readers.training_file("data", stem).name.endswith(".train.jsonl"))
            self.assertIn(head, readers.HEADS)
            self.assertTrue(licence)


class ExtraAnnotations(unittest.TestCase):
    def read(self, name, *documents):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / name
            path.write_text("".join(json.dumps(document) + "\n" for document in documents))
            return readers.read_extra(path)

    def document(self, **roles):
        attribution = {"source": [], "cue": [], "content": [[2, 21]], "kind": "Attribution-no-source", **roles}
        return {"id": "pier.txt", "text": "🚢 “The pier is shut,” Ilka Dorn said.", "attributions": [attribution]}

    def test_what_the_page_downloads_is_read(self):
        speaker = {"speaker": "Ilka Dorn", "others": [], "aliases": ["Ilka Dorn"], "form": "name"}
        (document,) = self.read("pier.gold.jsonl", self.document(source=[[22, 31]], cue=[[32, 36]], **speaker))
        (statement,) = document.statements
        slices = [document.text[s:e] for s, e in statement.source + statement.cue + statement.content]
        self.assertEqual(slices, ["Ilka Dorn", "said", "“The pier is shut,”"])
        self.assertEqual([label for _, _, label in document.spans], ["content", "source", "cue"])
        self.assertEqual(document.head, "statement")

    def test_held_out_files_are_refused_here_too(self):
        with self.assertRaises(readers.HeldOut):
            self.read("polnear.dev.jsonl", self.document())

    def test_what_is_no_annotation_is_refused_by_name(self):
        for span in ([5, 5], [9, 4], [-1, 4], [30, 38], [400, 500]):
            with self.assertRaisesRegex(ValueError, r"mine\.jsonl, document pier\.txt: the cue \["):
                self.read("mine.jsonl", self.document(cue=[span]))
        for wrong in ({"id": "a", "text": "b"}, {"id": "a", "attributions": []}, [], {"tokens": ["a"], "ner": ["O"]}):
            with self.assertRaisesRegex(ValueError, r"mine\.jsonl is no annotation"):
                self.read("mine.jsonl", wrong)


class RunningText(unittest.TestCase):
    def test_offsets_reproduce_the_tokens(self):
        tokens = ["Holt", "said", ",", '"', "We", "do", "n't", "pay", '"', "(", "again", ")", "."]
        for natural in (False, True):
            text, offsets = readers.joined(tokens, natural)
            self.assertEqual([text[s:e] for s, e in offsets], tokens)
        self.assertEqual(text, 'Holt said, "We don\'t pay" (again).')

    def test_spans_of_bio_tags(self):
        tags = ["B-PER", "I-PER", "B-PER", "O", "I-LOC", "B-ORG"]
        self.assertEqual(readers.bio_spans(tags), [(0, 2, "PER"), (2, 3, "PER"), (5, 6, "ORG")])

    def test_documents_keep_their_labels(self):
        rows = [{"id": "a", "doc": "d", "tokens": ["Ada", "Holt", "spoke"], "ner": ["B-PER", "I-PER", "O"]},
                {"id": "b", "doc": "d", "tokens": ["In", "Lysmouth"], "ner": ["O", "B-LOC"]}]
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "x.train.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            (document,) = readers.TokenRows(path, "conll4").documents(0.0, random.Random(1))
        self.assertEqual(document.text, "Ada Holt spoke\nIn Lysmouth\n")
        self.assertEqual([(document.text[s:e], label) for s, e, label in document.spans],
                         [("Ada Holt", "PER"), ("Lysmouth", "LOC")])


if __name__ == "__main__":
    unittest.main()
