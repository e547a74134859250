"""The snapshots of the Rust tests (tests/snapshots), told from what Python gets."""

import json
import re

import pytest
from conftest import ARTICLES, ROOT


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def plain(snapshot):
    """The notes in a snapshot, with texts quoted as JSON does and not as Rust."""
    notes = snapshot.split("---\n", 2)[2].rstrip("\n")

    def unescaped(literal):
        text = re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code.group(1), 16)), literal.group(1))
        return quoted(re.sub(r"\\(.)", lambda mark: {"n": "\n", "t": "\t", "r": "\r"}.get(mark.group(1), mark.group(1)), text))

    return re.sub(r'"((?:[^"\\]|\\.)*)"', unescaped, notes)


def notes(result):
    """What tests/goldens.rs writes of a result."""

    def texts(segments):
        return " + ".join(f"{one['start']}..{one['end']} {quoted(one['text'])}" for one in segments)

    lines = ["entities"]
    lines += [f"  {one['label']:<7} {one['start']}..{one['end']} {quoted(one['text'])}" for one in result["entities"]]
    lines.append("statements")
    for one in result["statements"]:
        speaker = one["speaker"]
        lines.append(f"  {one['id']} {one['kind']} {one['act']}")
        lines.append(f"    speaker {speaker['name']} ({speaker['id']}, via {speaker['via']})" if speaker else "    speaker none")
        if one["co_speakers"]:
            lines.append(f"    with    {' '.join(one['co_speakers'])}")
        lines += [f"    {part:<7} {texts(one[part])}" for part in ["source", "cue", "content"]]
    lines.append("speakers")
    for one in result["speakers"]:
        aliases = ", ".join(quoted(alias) for alias in one["aliases"])
        lines.append(f"  {one['id']} {one['label']} {one['name']} [{aliases}]: {' '.join(one['statements'])}")
    lines += [f"warning {warning}" for warning in result["warnings"]]
    return "\n".join(lines)


@pytest.mark.parametrize("name", ARTICLES)
def test_the_result_is_the_golden_one(extractor, name):
    snapshot = (ROOT / "tests/snapshots" / f"{name}.snap").read_text(encoding="utf-8")
    assert notes(extractor.extract(ARTICLES[name], ids=name)) == plain(snapshot)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({}, []),
        ({"min_score": 0.5, "offset_unit": "byte"}, ["--min-score", "0.5", "--offset-unit", "byte"]),
        ({"entity_scheme": "conll4", "offset_unit": "utf16"}, ["--entity-scheme", "conll4", "--offset-unit", "utf16"]),
        ({"floating": False, "max_window": 64}, ["--no-floating", "--max-window", "64"]),
    ],
)
def test_the_result_is_that_of_the_command(extract, options, flags):
    from onrecord import Extractor

    found = Extractor(precision="int8", **options).extract(list(ARTICLES.values()), list(ARTICLES))
    assert found == extract(ARTICLES, *flags)
    assert sum(len(one["statements"]) for one in found) > 20
