"""The Markdown files of this repository: their blocks of code, links and anchors."""

import functools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PARSER = MarkdownIt("commonmark").enable("table")
# What a comment right before a block can say of it:
#   <!-- not run: WHY -->   nothing is done with it
#   <!-- file: NAME -->     the reader saves it under this name
#   <!-- output -->         it is what the block before it prints
NOTE = re.compile(r"<!--\s*(not run|file|output)(?::\s*(.*?))?\s*-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code, with the comment before it, if that says something of the block."""

    document: str
    line: int
    language: str
    code: str
    note: str | None = None
    argument: str | None = None

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Link:
    """A link or an image."""

    document: str
    line: int
    target: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


def documents() -> list[str]:
    """Every Markdown file that git knows, or would if it were added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted(name for name in set(listed) if (ROOT / name).exists())


def blocks(document: str, text: str) -> Iterator[Block]:
    """The blocks of code in their order. A block that is indented, as in the README, is for the shell."""
    before: Token | None = None
    for token in PARSER.parse(text):
        if token.type in ("fence", "code_block"):
            language = token.info.strip() if token.type == "fence" else "sh"
            said = NOTE.fullmatch(before.content.strip()) if before and before.type == "html_block" else None
            note, argument = said.groups() if said else (None, None)
            yield Block(document, _line(token), language, token.content, note, argument)
        before = token


def links(document: str, text: str) -> Iterator[Link]:
    """Where a text and its images lead."""
    for token in PARSER.parse(text):
        for child in token.children or []:
            target = child.attrs.get("href") or child.attrs.get("src")
            if target is not None:
                yield Link(document, _line(token), str(target))


@functools.cache
def anchors(text: str) -> frozenset[str]:
    """The anchors that GitHub gives to headings."""
    found: set[str] = set()
    tokens = PARSER.parse(text)
    for opening, inline in zip(tokens, tokens[1:]):
        if opening.type != "heading_open":
            continue
        words = "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))
        anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        number = 0
        while (name := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(name)
    return frozenset(found)


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0
