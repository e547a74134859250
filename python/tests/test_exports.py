"""Exports, read back by tools that were not written here: what they see is what was extracted."""

import io
import json
from collections import defaultdict

import bs4
import pandas
import pytest
import spacy
from bioc import brat
from conftest import ARTICLES
from onrecord.spacy import doc, docbin
from pyld import jsonld
from spacy.tokens import DocBin
from spacy.training.converters import conll_ner_to_docs

TEXTS = {
    **ARTICLES,
    "https://example.org/🦀/1": "🦀 <script>alert(1)</script> said “שלום & \"=1+1\"”.\r\n\r\n“Stay here,” Ilka Dorn said, “or\nleave.”",
    "=1+1": "“The pier is beyond repair,” said Claire Moreau. She did not say when it “was” built.",
}
FORMATS = ["brat", "conll", "displacy", "webannotation", "citron", "html", "csv", "schemaorg"]
ROLES = ["source", "cue", "content"]
XSD = "http://www.w3.org/2001/XMLSchema#"

# The terms of http://www.w3.org/ns/anno.jsonld that are used, as the recommendation defines them (Web Annotation
# Vocabulary, appendix A); tests open no connection.
ANNO = {
    "oa": "http://www.w3.org/ns/oa#", "as": "http://www.w3.org/ns/activitystreams#", "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "id": {"@type": "@id", "@id": "@id"},
    "type": {"@type": "@id", "@id": "@type"}, "Annotation": "oa:Annotation", "AnnotationPage": "as:OrderedCollectionPage",
    "SpecificResource": "oa:SpecificResource", "TextualBody": "oa:TextualBody", "Software": "as:Application",
    "TextPositionSelector": "oa:TextPositionSelector", "TextQuoteSelector": "oa:TextQuoteSelector",
    "classifying": "oa:classifying", "describing": "oa:describing", "identifying": "oa:identifying",
    "tagging": "oa:tagging", "body": {"@type": "@id", "@id": "oa:hasBody"}, "target": {"@type": "@id", "@id": "oa:hasTarget"},
    "source": {"@type": "@id", "@id": "oa:hasSource"}, "selector": {"@type": "@id", "@id": "oa:hasSelector"},
    "motivation": {"@type": "@vocab", "@id": "oa:motivatedBy"}, "purpose": {"@type": "@vocab", "@id": "oa:hasPurpose"},
    "exact": "oa:exact", "prefix": "oa:prefix", "suffix": "oa:suffix",
    "start": {"@type": XSD + "nonNegativeInteger", "@id": "oa:start"},
    "end": {"@type": XSD + "nonNegativeInteger", "@id": "oa:end"},
    "startIndex": {"@type": XSD + "nonNegativeInteger", "@id": "as:startIndex"},
    "items": {"@type": "@id", "@id": "as:items", "@container": "@list"}, "format": "dc:format", "name": "foaf:name",
    "value": "rdf:value", "generator": {"@type": "@id", "@id": "as:generator"},
}  # fmt: skip


def load_context(url, _options):
    contexts = {
        "http://www.w3.org/ns/anno.jsonld": ANNO,
        "https://schema.org": {"@vocab": "http://schema.org/"},
        "https://schema.org/": {"@vocab": "http://schema.org/"},
    }
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": contexts[url]}}


@pytest.fixture(scope="module")
def results(module_extract):
    return {result["id"]: result for result in module_extract(TEXTS)}


@pytest.fixture
def export(command, results):
    """What `onrecord export` makes of all texts: the standard output, or the files of a directory."""

    def run(form, *flags, texts=TEXTS):
        lines = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items())
        with open(command.directory / "results.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(results[name]) + "\n" for name in texts)
        arguments = ["--input-format", "jsonl", "--annotations", "results.jsonl", "--to", form, *flags]
        done = command("export", *arguments, input=lines)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def spans(statement):
    return [(role, part["start"], part["end"]) for role in ROLES for part in statement[role]]


def all_spans(result):
    return sorted(span for statement in result["statements"] for span in spans(statement))


def entities(result):
    return [(entity["label"], entity["start"], entity["end"]) for entity in result["entities"]]


def test_there_is_something_to_read(results):
    assert sum(len(result["statements"]) for result in results.values()) > 20
    assert any(len(part["content"]) > 1 for result in results.values() for part in result["statements"])


def test_brat_by_bioc(export, command, results):
    export("brat", "--output", "brat")
    folder = command.directory / "brat"
    names = {path.read_bytes().decode(): path for path in folder.glob("*.txt")}
    for name, text in TEXTS.items():
        path = names[text].with_suffix(".ann")
        with open(path, encoding="utf-8") as annotations:
            found = brat.load(io.StringIO(text, newline=""), annotations)
        places = {part.id: (part.type, [(place.begin, place.end) for place in sorted(part.locations)]) for part in found.entities}
        for entity in found.entities:
            pieces = [text[start:end] for start, end in places[entity.id][1]]
            assert " ".join(pieces) == entity.text and "\n" not in entity.text
        labels = {entity["label"] for entity in results[name]["entities"]}
        plain = [(kind, *ranges[0]) for kind, ranges in places.values() if kind in labels]
        assert plain == entities(results[name])
        # Relations lead from each content to its source and its cue.
        said = defaultdict(dict)
        for relation in found.relations:
            said[relation.arguments["Arg1"]][relation.type] = places[relation.arguments["Arg2"]][1]
        contents = [(key, ranges) for key, (kind, ranges) in places.items() if kind == "Content"]
        assert len(contents) == len(results[name]["statements"])
        for (key, ranges), statement in zip(contents, results[name]["statements"], strict=True):
            for role, places_of_role in [("content", ranges), ("source", said[key].get("SaidBy", [])), ("cue", said[key].get("CuedBy", []))]:
                # Line ends are left out, and nothing else is.
                covered = {at for start, end in places_of_role for at in range(start, end)}
                wanted = {at for part in statement[role] for at in range(part["start"], part["end"])}
                assert covered <= wanted and all(text[at].isspace() for at in wanted - covered)


def test_conll_by_spacy(export, results):
    parts = export("conll").split("-DOCSTART- -X- O O\n")[1:]
    for part, (name, text) in zip(parts, TEXTS.items(), strict=True):
        read = list(conll_ner_to_docs("-DOCSTART- -X- O O\n" + part, n_sents=0, no_print=True))
        words = [token.text for found in read for token in found]
        assert "".join(words) == "".join(text.split())
        tagged = [(entity.label_, entity.text.replace(" ", "")) for found in read for entity in found.ents]
        assert tagged == [(entity["label"], "".join(entity["text"].split())) for entity in results[name]["entities"]]


def test_displacy(export, results):
    for line, (name, text) in zip(export("displacy").splitlines(), TEXTS.items(), strict=True):
        value = json.loads(line)
        assert value["text"] == text
        assert [(entity["label"], entity["start"], entity["end"]) for entity in value["ents"]] == entities(results[name])
        for style in ["ent", "span"]:
            page = spacy.displacy.render(value, style=style, manual=True, page=True, jupyter=False)
            assert "<script>" not in page
        slices = [
            (span["label"].lower(), value["tokens"][span["start_token"]], value["tokens"][span["end_token"] - 1])
            for span in value["spans"]
        ]
        for (role, first, last), (wanted, start, end) in zip(
            slices, [span for statement in results[name]["statements"] for span in spans(statement)], strict=True
        ):
            assert role == wanted and text[start:].startswith(first) and text[:end].endswith(last)


def test_web_annotations_by_a_json_ld_library(export, results):
    oa = "http://www.w3.org/ns/oa#"
    for line, (name, text) in zip(export("webannotation").splitlines(), TEXTS.items(), strict=True):
        [page] = jsonld.expand(json.loads(line), {"documentLoader": load_context})
        [items] = page["http://www.w3.org/ns/activitystreams#items"]
        result, seen = results[name], []
        for item in items["@list"]:
            assert item["@type"] == [oa + "Annotation"] and ":" in item["@id"]
            role = item["urn:onrecord:vocabulary:score"] and "content"
            resources = [(role, target) for target in item[oa + "hasTarget"]]
            for body in item[oa + "hasBody"]:
                if oa + "hasSelector" in body:
                    resources.append((body["urn:onrecord:vocabulary:role"][0]["@value"], body))
            is_statement = item[oa + "motivatedBy"][0]["@id"] == oa + "identifying"
            for role, resource in resources:
                position, quote = sorted(resource[oa + "hasSelector"], key=lambda selector: selector["@type"])
                start, end = (int(position[oa + edge][0]["@value"]) for edge in ["start", "end"])
                exact, prefix, suffix = (quote[oa + part][0]["@value"] for part in ["exact", "prefix", "suffix"])
                assert text[start:end] == exact and text[:start].endswith(prefix) and text[end:].startswith(suffix)
                if is_statement:
                    seen.append((role, start, end))
        assert sorted(seen) == all_spans(result)
        assert len(items["@list"]) == len(result["entities"]) + len(result["statements"])
    assert {"https://example.org/🦀/1"} <= set(TEXTS)
    assert '"source":"https://example.org/🦀/1"' in export("webannotation")


def test_schema_org_by_a_json_ld_library(export, results):
    for line, name in zip(export("schemaorg").splitlines(), TEXTS, strict=True):
        [article] = jsonld.expand(json.loads(line), {"documentLoader": load_context})
        found = [
            (
                quotation["http://schema.org/text"][0]["@value"],
                [who["http://schema.org/name"][0]["@value"] for who in quotation.get("http://schema.org/spokenByCharacter", [])][:1],
            )
            for quotation in article.get("http://schema.org/hasPart", [])
        ]
        wanted = [
            (" … ".join(part["text"] for part in statement["content"]), [statement["speaker"]["name"]] if statement["speaker"] else [])
            for statement in results[name]["statements"]
            if (statement["kind"], statement["act"], statement["polarity"]) == ("direct", "speech", "positive")
        ]
        assert found == wanted


def test_citron(export, results):
    """Citron has no reader of its own to install: the form is compared with its description."""
    for line, (name, text) in zip(export("citron").splitlines(), TEXTS.items(), strict=True):
        value = json.loads(line)
        assert value["text"] == text
        for quote, statement in zip(value["quotes"], results[name]["statements"], strict=True):
            parts = [quote["cue"]] if quote["cue"] else []
            for span in [*parts, *quote["sources"], *quote["contents"], *quote["coreferences"]]:
                assert set(span) == {"start", "end", "text"} and text[span["start"] : span["end"]] == span["text"]
            assert [span["text"] for span in quote["contents"]] == [part["text"] for part in statement["content"]]
            assert [span["text"] for span in quote["sources"]] == [part["text"] for part in statement["source"]]
            assert (quote["id"], quote["confidence"]) == (statement["id"], statement["score"])


def test_html_by_a_browsers_parser(export, command, results):
    export("html", "--output", "html")
    pages = [bs4.BeautifulSoup(path.read_bytes(), "html5lib") for path in (command.directory / "html").iterdir()]
    by_title = {page.title.string: page for page in pages}
    for name, text in TEXTS.items():
        page = by_title[name]
        assert not page.find_all(["script", "img", "iframe"])
        numbers = page.article.find_all("sup")
        for number in numbers:
            number.extract()
        assert page.article.get_text() == text
        marked = "".join(mark.get_text() for mark in page.article.find_all("mark", class_="content"))
        # In text order, and once: a statement may stand between the parts of another, or within one.
        contents = [part for statement in results[name]["statements"] for part in statement["content"]]
        said = {place for part in contents for place in range(part["start"], part["end"])}
        assert marked == "".join(text[place] for place in sorted(said))
        assert len(page.find_all("li")) == len(results[name]["statements"])
        for link in page.find_all("a"):
            assert len(page.find_all(id=link["href"][1:])) <= 1


def test_csv_by_pandas(export, results):
    table = pandas.read_csv(io.StringIO(export("csv")), keep_default_na=False)
    wanted = [(name, statement) for name in TEXTS for statement in results[name]["statements"]]
    assert len(table) == len(wanted) > 0
    for row, (name, statement) in zip(table.to_dict("records"), wanted, strict=True):
        # What would be a formula has an apostrophe before it.
        assert row["document"].removeprefix("'") == name and not row["document"].startswith("=")
        content = " … ".join(part["text"] for part in statement["content"])
        assert row["content"].removeprefix("'").replace("\r\n", "\n") == content.replace("\r\n", "\n")
        assert row["speaker"] == (statement["speaker"]["name"] if statement["speaker"] else "")
        assert (row["score"], row["kind"]) == (statement["score"], statement["kind"])
        assert TEXTS[name][row["start"] : row["end"]].startswith(statement["content"][0]["text"])


def test_docbin_by_spacy(results, tmp_path):
    docbin(results.values(), TEXTS.values()).to_disk(tmp_path / "articles.spacy")
    nlp = spacy.blank("en")
    read = list(DocBin().from_disk(tmp_path / "articles.spacy").get_docs(nlp.vocab))
    for found, (name, text) in zip(read, TEXTS.items(), strict=True):
        assert found.text == text
        assert [(entity.label_, entity.start_char, entity.end_char) for entity in found.ents] == entities(results[name])
        groups = {"sources": "source", "cues": "cue", "contents": "content"}
        there = [(role, span.start_char, span.end_char) for group, role in groups.items() for span in found.spans[group]]
        assert sorted(there) == all_spans(results[name])
        assert [span.id_ for span in found.spans["contents"]] == [
            statement["id"] for statement in results[name]["statements"] for _ in statement["content"]
        ]
        assert found.user_data["onrecord"]["model"] == results[name]["model"]


def test_what_is_no_result_of_the_text_is_refused(results):
    result = results["harbour"]
    for wrong, text, reason in [
        (result, ARTICLES["council"], "another text"),
        ({**result, "offset_unit": "utf16"}, ARTICLES["harbour"], "code points"),
        ({"id": "a", "error": {"code": "empty_document", "message": "it is empty"}}, "", "it is empty"),
    ]:
        with pytest.raises(ValueError, match=reason):
            doc(wrong, text)


@pytest.mark.parametrize("form", FORMATS)
def test_the_command_extracts_by_itself(command, form, results):
    """Without --annotations the model runs, and the same comes out."""
    (command.directory / "harbour").write_text(ARTICLES["harbour"], encoding="utf-8", newline="")
    own = command("export", "harbour", "--to", form, "--precision", "int8")
    assert own.returncode == 0, own.stderr
    with open(command.directory / "results.jsonl", "w", encoding="utf-8") as file:
        file.write(json.dumps(results["harbour"]))
    again = command("export", "harbour", "--to", form, "--annotations", "results.jsonl")
    assert own.stdout == again.stdout and len(own.stdout) > 1000
