"""Texts, one or many; what is wrong with one, and with what was asked for."""

import pytest
from conftest import ARTICLES
from onrecord import Extractor, __version__

TEXT = "“The pier is beyond repair,” said Claire Moreau."


def test_a_text_gives_a_dictionary(extractor):
    found = extractor.extract(TEXT)
    statement = found["statements"][0]
    assert (found["id"], statement["speaker"]["name"], statement["kind"]) == ("0", "Claire Moreau", "direct")
    content = statement["content"][0]
    assert TEXT[content["start"] : content["end"]] == content["text"] == "“The pier is beyond repair,”"
    assert extractor.extract(TEXT, ids="mine") == {**found, "id": "mine"}


def test_many_texts_give_the_same_as_each_alone(extractor):
    # More than fit into two groups of one thread, so that several run at the same time.
    kinds = [TEXT, "He said no.", "Ada Holt told the board that it was late."]
    texts = [*ARTICLES.values(), *kinds * 800]
    found = Extractor(threads=1, precision="int8").extract(texts)
    assert [one["id"] for one in found] == [str(place) for place in range(len(texts))]
    alone = {text: extractor.extract(text) for text in [*ARTICLES.values(), *kinds]}
    for text, one in zip(texts, found):
        assert {**one, "id": "0"} == alone[text]
    assert extractor.extract([]) == []
    assert extractor.extract((text for text in [TEXT]), ids=iter(["a"]))[0]["id"] == "a"


def test_a_bad_text_costs_its_own_error(extractor):
    small = Extractor(threads=1, max_document_bytes=100)
    found = small.extract([TEXT, "", None, " \n", "a" * 101, "half of a pair: \ud83d", TEXT], ids=list("abcdefg"))
    assert [one["id"] for one in found] == list("abcdefg")
    codes = ["empty_document"] * 3 + ["document_too_large", "invalid_utf8"]
    assert [one["error"]["code"] for one in found[1:6]] == codes
    assert "surrogates not allowed" in found[5]["error"]["message"]
    assert found[0]["statements"] == found[6]["statements"] == extractor.extract(TEXT)["statements"]
    # Alone, there is nobody else whom it could cost anything.
    for text, message in [("", "no text"), ("a" * 101, "larger than 100 bytes"), ("\ud83d", "surrogates")]:
        with pytest.raises(ValueError, match=message):
            small.extract(text)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None,), TypeError, "iterable"),
        ((7,), TypeError, "iterable"),
        ((["a", 7],), TypeError, r"texts\[1\] must be str, and not int"),
        ((["a", "b"], ["1"]), ValueError, "1 ids for 2 texts"),
        ((["a"], "1"), TypeError, "ids must be a sequence"),
        (("a", ["1"]), TypeError, "str"),
        ((["a"], [1]), TypeError, "str"),
        ((b"bytes",), TypeError, r"texts\[0\] must be str, and not int"),
    ],
)
def test_what_is_not_texts_is_refused(extractor, arguments, error, message):
    with pytest.raises(error, match=message):
        extractor.extract(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "/nowhere"}, ValueError, "/nowhere"),
        ({"threads": 0}, ValueError, "threads"),
        ({"threads": -1}, OverflowError, "threads"),
        ({"precision": "int4"}, ValueError, "int4"),
        ({"entity_scheme": "iob"}, ValueError, "use news9 or conll4"),
        ({"offset_unit": "words"}, ValueError, "use codepoint, byte or utf16"),
        ({"min_score": 1.5}, ValueError, "1.5 is not between 0 and 1"),
        ({"min_score": float("nan")}, ValueError, "NaN is not between 0 and 1"),
        ({"max_window": 2}, ValueError, "not between 3 and"),
        ({"max_window": 1 << 40}, ValueError, "not between 3 and"),
        ({"colour": "red"}, TypeError, "colour"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        Extractor(**options)


def test_it_tells_what_it_is(extractor):
    before = extractor.tokens_run
    found = extractor.extract(TEXT)
    assert extractor.tokens_run - before > 10
    assert extractor.model == found["model"]
    assert extractor.threads == 2
    assert repr(extractor) == f"<onrecord.Extractor {extractor.model} with 2 threads>"
    assert __version__.count(".") == 2
