"""Every block of code in the documentation does what it says, or says why it is not run."""

import markdown
import pytest
from markdown import ROOT, Block
from workshop import FEEDS, NOT_RUN, RUN, SERVER, BlockError, Workshop, furnish

BLOCKS = {
    document: found
    for document in markdown.documents()
    if (found := list(markdown.blocks(document, (ROOT / document).read_text(encoding="utf-8"))))
}


@pytest.mark.parametrize("document", BLOCKS)
def test_blocks_run(document, tmp_path, monkeypatch, tools, server, feeds):
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    # Python finds what lies beside a program.
    monkeypatch.syspath_prepend(tmp_path)
    workshop = Workshop(tmp_path, tools, {SERVER: server, FEEDS: feeds})
    for block in BLOCKS[document]:
        reason = why_not(block)
        if reason:
            NOT_RUN.append((block.place, reason))
        else:
            workshop.run(block)
            # Text that no note speaks of is there to be read: nothing ran.
            if block.language != "text" or block.note:
                RUN[block.language] += 1


def why_not(block: Block) -> str | None:
    """Why a block is not run, if it is not."""
    if block.note == "not run":
        if not block.argument:
            raise BlockError(block, "not run, without a reason")
        return block.argument
    return None


@pytest.fixture
def empty(tmp_path, monkeypatch, tools):
    monkeypatch.chdir(tmp_path)
    return Workshop(tmp_path, tools, {SERVER: "127.0.0.1:1"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("    false | true\n", "exit code 1"),
        ("```sh\nonrecord extract nothing.txt\n```\n", "exit code 1"),
        ("```sh\ncargo build\n```\n", "not run here"),
        ("    curl --silent --show-error http://127.0.0.1:8080\n", "exit code 7"),
        ("```python\nprint(1 / 0)\n```\n", "line 2"),
        ('```json\n{"a": ...}\n```\n', "no JSON"),
        ("```sql\nSELECT * FROM 'nothing.parquet'\n```\n", "nothing.parquet"),
        ("```sql\nSELECT 1 WHERE false\n```\n", "finds no rows"),
        ("```ruby\nputs 1\n```\n", "'ruby' is none of"),
        ("```\nwhat is this\n```\n", "'' is none of"),
        ("    echo one\n\n<!-- output -->\n```text\ntwo\n```\n", "one"),
        ("<!-- not run -->\n\n    rm -r /\n", "without a reason"),
    ],
)
def test_what_fails_is_noticed(empty, text, reason):
    with pytest.raises(Exception, match=reason):
        for block in markdown.blocks("made-up.md", text):
            if not why_not(block):
                empty.run(block)


def test_notes_are_understood(empty):
    text = (
        "<!-- not run: it would end this test -->\n\n    exit 7\n\n"
        "<!-- file: there.txt -->\n```text\nas written\n```\n\n"
        "    cat there.txt\n\n<!-- output -->\n```text\nas written\n```\n\n"
        "- a list\n\n  of paragraphs\n\n```python\nnumber = 1\n```\n\n<!-- a remark -->\n```python\nprint(number)\n```\n"
    )
    found = list(markdown.blocks("made-up.md", text))
    assert [why_not(block) for block in found] == ["it would end this test", None, None, None, None, None]
    for block in found[1:]:
        empty.run(block)
    assert empty.output == "1\n"
