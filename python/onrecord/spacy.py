"""Results as documents of spaCy (https://spacy.io), and as a DocBin, which `spacy train` and Prodigy read.

    import onrecord
    from onrecord.spacy import docbin

    extractor = onrecord.Extractor()
    texts = ["“The pier is beyond repair,” said Claire Moreau."]
    docbin(extractor.extract(texts), texts).to_disk("articles.spacy")

Needs spaCy 3: pip install 'onrecord[spacy]'.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

ROLES = {"source": "sources", "cue": "cues", "content": "contents"}


def doc(extraction: Mapping[str, Any], text: str, nlp: Language | None = None) -> Doc:
    """A text with what Extractor.extract found in it.

    `doc.ents` are the entities. `doc.spans` has groups "sources", "cues" and "contents": each span's `id_` is that of its
    statement, and a part of several segments is several spans. `doc.user_data["onrecord"]` is the whole result. The
    tokens are those of nlp's tokenizer, cut where a span begins or ends within one, so that every span is exact.

    Args:
        extraction: The result, with offsets in code points.
        text: The text that it is of.
        nlp: Whose tokenizer and vocabulary to use; a blank English pipeline when None.

    Raises:
        ValueError: It is a failure, of another text, or has other offsets.
    """
    nlp = nlp or spacy.blank("en")
    if "error" in extraction:
        raise ValueError(f"{extraction.get('id')!r} has no result: {extraction['error']['message']}")
    if extraction["offset_unit"] != "codepoint":
        raise ValueError("spaCy counts code points: make the Extractor with offset_unit='codepoint'")
    places = list(_places(extraction))
    for place in places:
        if text[place["start"] : place["end"]] != place["text"]:
            raise ValueError(f"{extraction['id']!r} is the result of another text: {place['text']!r} is not where it says")
    borders = {border for place in places for border in (place["start"], place["end"])}
    words, spaces = _tokens(nlp.tokenizer(text), borders)
    result = Doc(nlp.vocab, words=words, spaces=spaces)

    def span(place: Mapping[str, Any], label: str, name: str) -> Span:
        found = result.char_span(place["start"], place["end"], label=label, span_id=name)
        assert found is not None, "tokens are cut at all borders"
        return found

    result.set_ents([span(entity, entity["label"], entity["id"]) for entity in extraction["entities"]])
    for role, group in ROLES.items():
        result.spans[group] = [
            span(segment, role.upper(), statement["id"])
            for statement in extraction["statements"]
            for segment in statement[role]
        ]
    result.user_data["onrecord"] = dict(extraction)
    return result


def docbin(extractions: Iterable[Mapping[str, Any]], texts: Iterable[str], nlp: Language | None = None) -> DocBin:
    """The documents of several texts, with their groups of spans and their whole results (see doc)."""
    nlp = nlp or spacy.blank("en")
    docs = (doc(extraction, text, nlp) for extraction, text in zip(extractions, texts, strict=True))
    return DocBin(store_user_data=True, docs=docs)


def _places(extraction: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from extraction["entities"]
    for statement in extraction["statements"]:
        for role in ROLES:
            yield from statement[role]


def _tokens(tokens: Doc, borders: Iterable[int]) -> tuple[list[str], list[bool]]:
    """Words, and whether a space follows each, with more of them where a border lies within one."""
    words: list[str] = []
    spaces: list[bool] = []
    ordered = sorted(borders)
    for token in tokens:
        start, length = token.idx, len(token.text)
        within = ordered[bisect_right(ordered, start) : bisect_left(ordered, start + length)]
        cuts = [0, *(border - start for border in within), length]
        words += [token.text[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
        spaces += [False] * (len(cuts) - 2) + [bool(token.whitespace_)]
    return words, spaces
