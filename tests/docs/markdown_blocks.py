"""Finds the code blocks of Markdown pages, each with the output that the page shows below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import attrs
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).parents[2]
PAGES = (
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted(REPOSITORY.glob("docs/guides/*.md")),
)

SAVED = re.compile(r"[Ss]aved? (?:this )?as `([\w.]+)`")


@attrs.frozen
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    """The number of its first line of code, counted from 1."""
    language: str
    code: str
    output: str | None
    """The output that the page shows: the block of the language `output` directly below."""
    file: str | None
    """The name under which the page lets a reader save it: "Save this as `NAME`" stands above."""

    def __str__(self) -> str:
        """Give its place, as editors understand it."""
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"


def blocks(page: Path, language: str) -> list[Block]:
    """Return the blocks of a page in one language, in order."""
    return [block for block in all_blocks(page) if block.language == language]


def all_blocks(page: Path) -> Iterator[Block]:
    """Yield every fenced block of a page except those that show output."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    file = None
    for token, following in pairwise([*tokens, Token("end", "", 0)]):
        if token.type == "inline" and (saved := SAVED.search(token.content)):
            file = saved[1]
        if token.type == "fence" and token.info != "output":
            output = following.content if following.type == "fence" and following.info == "output" else None
            yield Block(page, (token.map or [0])[0] + 2, token.info, token.content, output, file)
            file = None


def pages_with(language: str) -> list[Path]:
    """Return the pages that have blocks in a language."""
    return [page for page in PAGES if blocks(page, language)]


def named(page: Path) -> str:
    """Return the name of a page in the report."""
    return str(page.relative_to(REPOSITORY))


def assert_output(block: Block, printed: str) -> None:
    """Compare printed output with the page, where `…` stands for anything in one line."""
    expected = "".join(
        ".*" if piece == "…" else re.escape(piece) for piece in re.split("(…)", (block.output or "").rstrip())
    )
    if not re.fullmatch(expected, printed.rstrip()):
        pytest.fail(f"{block} prints\n{printed}\nnot\n{block.output}", pytrace=False)
