"""What the documentation claims of the model is what the model does, and what its card says."""

import json
import re

import pytest
from markdown import ROOT
from onrecord import Extractor


def read(document):
    return (ROOT / document).read_text(encoding="utf-8")


def examples():
    """The rows of the table in docs/concepts.md."""
    _, table = read("docs/concepts.md").split("| text | source | cue | content |\n|---|---|---|---|\n")
    rows = table.split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.fixture(scope="module")
def extractor():
    return Extractor(threads=2, precision="int8")


@pytest.mark.parametrize("row", examples(), ids=lambda row: row[0][:30])
def test_examples_of_statements_are_found(extractor, row):
    text, *parts = row
    found = [
        [" … ".join(segment["text"] for segment in statement[role]) for role in ("source", "cue", "content")]
        for statement in extractor.extract(text)["statements"]
    ]
    assert found == [parts], "the model reads it otherwise: if that is not wrong, take another example"


def test_there_are_examples():
    assert len(examples()) > 5


def counterexamples():
    """The sentences in docs/concepts.md in which nobody states anything."""
    _, section = read("docs/concepts.md").split("## What does not\n")
    return re.findall(r'"([A-Z][^"]*\.)"', section.split("\n## ")[0])


@pytest.mark.parametrize("text", counterexamples())
def test_in_counterexamples_nothing_is_found(extractor, text):
    assert extractor.extract(text)["statements"] == []


def test_there_are_counterexamples():
    assert len(counterexamples()) > 1


def test_the_borderline_case_is_found(extractor):
    cues = [statement["cue"][0]["text"] for statement in extractor.extract("The council voted for the plan.")["statements"]]
    assert cues == ["voted for"]


def scores_in_the_readme():
    _, section = read("README.md").split("## How good it is\n")
    return "\n".join(line for line in section.split("\n## ")[0].splitlines() if line.startswith("|"))


@pytest.mark.parametrize("text", [read("docs/limits.md"), scores_in_the_readme()], ids=["limits", "README"])
def test_numbers_are_those_of_the_model_card(text):
    card = read("models/onrecord-small/MODEL_CARD.md")
    numbers = re.findall(r"\d+\.\d+", text)
    assert len(numbers) > 5
    missing = [number for number in numbers if not re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", card)]
    assert not missing, f"the model card has other numbers: {missing}"


def test_the_example_in_the_readme_is_what_comes_out(extractor):
    _, section = read("README.md").split("is its schema). Shortened, for\n`")
    text, section = section.split("`:\n\n```json\n")
    shown = json.loads(section.split("```")[0])
    shown.pop("id")
    found = extractor.extract(text)

    def agree(shown, found):
        if isinstance(shown, dict):
            return all(agree(value, found[name]) for name, value in shown.items())
        if isinstance(shown, list):
            return len(shown) == len(found) and all(map(agree, shown, found))
        return abs(shown - found) < 0.02 if isinstance(shown, float) else shown == found

    assert agree(shown, found), found
