"""The client of Hugging Face's Inference API talks to a running server.

    pip install -r tests/clients/requirements.txt
    onrecord serve &
    ONRECORD_URL=http://127.0.0.1:8080 python3 -m unittest discover -s tests/clients

The server must serve onrecord-small with entity scheme news9 and ask for no key.
"""

import os
import unicodedata
import unittest

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

URL = os.environ.get("ONRECORD_URL", "").rstrip("/")
TEXT = (
    "🚢 The harbour’s chief, Claire Moreau, told reporters in Oslo on Tuesday that the café had closed.\n"
    "A Norwegian court fined Eastholm Shipping, and Zoë Müller-Obrestad left for São Paulo."
)
NEWS_LABELS = {"PER", "ORG", "LOC", "NORP", "FAC", "PRODUCT", "DATE", "MONEY", "MISC"}
CONLL_LABELS = {"PER", "ORG", "LOC", "MISC"}
STRATEGIES = ["none", "simple", "first", "average", "max"]


def letters(text):
    """Text as the vocabulary spells it, without spaces: what `word` and the text's own spelling share."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn" and not c.isspace())


@unittest.skipUnless(URL, "ONRECORD_URL does not name a server")
class TokenClassification(unittest.TestCase):
    def setUp(self):
        self.client = InferenceClient(URL)

    def groups(self, **parameters):
        """Entities as (label, text), by the offsets of the answer."""
        items = self.client.token_classification(TEXT, **parameters)
        return [(item.entity_group, TEXT[item.start : item.end]) for item in items]

    def test_entities_stand_where_the_offsets_say(self):
        items = self.client.token_classification(TEXT)
        self.assertTrue(items)
        for item in items:
            self.assertIn(item.entity_group, NEWS_LABELS)
            self.assertIsNone(item.entity)
            self.assertNotIn("index", item)
            self.assertGreater(item.score, 0)
            self.assertLessEqual(item.score, 1)
            self.assertEqual(letters(item.word), letters(TEXT[item.start : item.end]))
        self.assertEqual([item.start for item in items], sorted(item.start for item in items))
        found = self.groups()
        for expected in [("PER", "Claire Moreau"), ("LOC", "Oslo"), ("LOC", "São Paulo")]:
            self.assertIn(expected, found)

    def test_simple_is_the_default(self):
        self.assertEqual(self.groups(), self.groups(aggregation_strategy="simple"))

    def test_tokens_come_with_tag_and_number(self):
        items = self.client.token_classification(TEXT, aggregation_strategy="none")
        self.assertTrue(items)
        for item in items:
            prefix, label = item.entity.split("-", 1)
            self.assertIn(prefix, ["B", "I"])
            self.assertIn(label, NEWS_LABELS)
            self.assertIsNone(item.entity_group)
            self.assertEqual(letters(item.word.removeprefix("##")), letters(TEXT[item.start : item.end]))
        numbers = [item.index for item in items]
        self.assertEqual(numbers, sorted(set(numbers)))
        everything = self.client.token_classification(TEXT, aggregation_strategy="none", ignore_labels=[])
        self.assertEqual([item.index for item in everything], list(range(1, len(everything) + 1)))
        self.assertIn("O", {item.entity for item in everything})

    def test_every_strategy_finds_the_person(self):
        for strategy in STRATEGIES[1:]:
            with self.subTest(strategy):
                self.assertIn(("PER", "Claire Moreau"), self.groups(aggregation_strategy=strategy))

    def test_ignored_labels_are_left_out(self):
        labels = {label for label, _ in self.groups(ignore_labels=["O", "PER"])}
        self.assertTrue(labels)
        self.assertFalse(labels & {"O", "PER"})

    def test_models_have_paths(self):
        expected = self.client.token_classification(TEXT)
        by_path = InferenceClient(f"{URL}/models/onrecord-small").token_classification(TEXT)
        self.assertEqual(by_path, expected)
        by_argument = self.client.token_classification(TEXT, model=f"{URL}/models/onrecord-small")
        self.assertEqual(by_argument, expected)

    def test_the_other_labels_have_a_path(self):
        client = InferenceClient(f"{URL}/models/onrecord-small-conll4")
        items = client.token_classification(TEXT)
        found = [(item.entity_group, TEXT[item.start : item.end]) for item in items]
        self.assertLessEqual({label for label, _ in found}, CONLL_LABELS)
        for expected in [("PER", "Claire Moreau"), ("LOC", "Oslo"), ("MISC", "Norwegian")]:
            self.assertIn(expected, found)

    def test_a_list_of_texts_gets_a_list_of_lists(self):
        texts = [TEXT, "It rained.", "Oslo"]
        answers = self.client.token_classification(texts)
        self.assertEqual(answers[0], self.client.token_classification(TEXT))
        self.assertEqual([len(answer) for answer in answers[1:]], [0, 1])

    def test_a_long_text_is_read_to_its_end(self):
        text = "The rain went on and on over the fields. " * 100 + "Then Claire Moreau spoke."
        for stride in [None, 0, 64]:
            with self.subTest(stride):
                items = self.client.token_classification(text, aggregation_strategy="simple", stride=stride)
                self.assertEqual([text[item.start : item.end] for item in items], ["Claire Moreau"])

    def test_a_token_of_the_caller_does_no_harm(self):
        client = InferenceClient(URL, token="hf_not_a_token_of_this_server")
        self.assertEqual(client.token_classification(TEXT), self.client.token_classification(TEXT))

    def test_mistakes_are_explained(self):
        for parameters, expected in [
            ({"aggregation_strategy": "last"}, "parameters.aggregation_strategy: must be none, simple"),
            ({"aggregation_strategy": "none", "stride": 8}, "parameters.stride: needs an aggregation_strategy"),
            ({"stride": -1}, "parameters.stride: must be a whole number"),
            ({"stride": 100_000}, "parameters.stride: must be less than"),
            ({"ignore_labels": "O"}, "parameters.ignore_labels: must be a list of strings"),
        ]:
            with self.subTest(expected):
                with self.assertRaises(HfHubHTTPError) as caught:
                    self.client.token_classification(TEXT, **parameters)
                self.assertEqual(caught.exception.response.status_code, 422)
                self.assertIn(expected, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
