"""Links lead somewhere: those within the repository to a file and a heading that are there, others to an address."""

import ipaddress
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown
import pytest
from markdown import ROOT, Link

DOCUMENTS = markdown.documents()
# A file or a folder of this repository, as it begins a code span.
FILE = re.compile(r"(?:benches|deploy|docs|examples|fuzz|models|python|scripts|src|tests)/[\w./*-]*")


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def trouble(link: Link) -> str | None:
    """What is wrong with a link."""
    parts = urlsplit(link.target)
    if parts.scheme or parts.netloc:
        return None if is_address(link.target) else "no address of the form https://host/..."
    path = ROOT / link.document
    if parts.path:
        path = (path.parent / unquote(parts.path)).resolve()
    if not path.is_relative_to(ROOT):
        return "leads out of the repository"
    if not path.exists():
        return "there is no such file"
    if not parts.fragment:
        return None
    if path.suffix != ".md":
        return "only Markdown has anchors"
    if unquote(parts.fragment) not in markdown.anchors(path.read_text(encoding="utf-8")):
        return "the file has no such heading"
    return None


def is_address(target: str) -> bool:
    """Whether it has the form of an address in the web. Tests have no network to ask whether somebody is there."""
    parts = urlsplit(target)
    if re.search(r"[\s<>\"\\]", target) or parts.username:
        return False
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback and parts.scheme == "http"
    except ValueError:
        return parts.scheme == "https" and re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", host) is not None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    found = [(link, trouble(link)) for link in markdown.links(document, read(document))]
    wrong = [f"{link.place}: {link.target}: {reason}" for link, reason in found if reason]
    assert not wrong, "\n".join(wrong)


def missing_files(document: str, text: str) -> list[str]:
    """Files in code spans that are neither there from the root nor from the document's folder."""
    inline = [child for token in markdown.PARSER.parse(text) for child in token.children or []]
    spans = [FILE.match(child.content) for child in inline if child.type == "code_inline"]
    named = [span[0] for span in spans if span]
    return [name for name in named if not any(any(folder.glob(name)) for folder in (ROOT, (ROOT / document).parent))]


# The changelog tells of files that have gone.
@pytest.mark.parametrize("document", sorted({*DOCUMENTS} - {"CHANGELOG.md"}))
def test_every_file_in_a_code_span_is_there(document):
    assert not missing_files(document, read(document))


def test_files_that_are_not_there_are_noticed():
    text = "`src/main.rs`, `src/*/mod.rs`, `scripts/eval/dev --all`, `run`, `docs/nowhere.md`, `src/nothing`"
    assert missing_files("docs/output.md", text) == ["docs/nowhere.md", "src/nothing"]


def test_the_index_names_every_document():
    named = {
        (ROOT / "docs" / link.target).resolve().relative_to(ROOT).as_posix()
        for link in markdown.links("docs/README.md", read("docs/README.md"))
        if not urlsplit(link.target).scheme
    }
    manuals = {name for name in DOCUMENTS if Path(name).parent.as_posix() in ("docs", "python", "deploy")}
    missing = manuals - named - {"docs/README.md"}
    assert not missing, f"docs/README.md does not name {sorted(missing)}: add a line for each"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("output.md", None),
        ("../README.md#try-it", None),
        ("#what-onrecord-writes", None),
        ("https://duckdb.org/docs?a=b#c", None),
        ("http://127.0.0.1:8080", None),
        ("nothing.md", "no such file"),
        ("../README.md#nowhere", "no such heading"),
        ("#nowhere", "no such heading"),
        ("../../elsewhere.md", "out of the repository"),
        ("images/page-light.png#top", "only Markdown"),
        ("http://example.com", "no address"),
        ("https://nowhere", "no address"),
        ("https://exa mple.org", "no address"),
        ("htps://example.org", "no address"),
        ("//example.org", "no address"),
    ],
)
def test_bad_links_are_told_from_good_ones(target, reason):
    said = trouble(Link("docs/output.md", 1, target))
    assert said is None if reason is None else said is not None and reason in said, said


def test_anchors_are_those_of_github():
    text = "# Two words\n\n## `code`, _and_ more!\n\n## POST /v1/extract\n\n## Two words\n\n    # no heading\n"
    assert markdown.anchors(text) == {"two-words", "code-and-more", "post-v1extract", "two-words-1"}
