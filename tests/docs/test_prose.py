"""The words that CONTRIBUTING.md drops stand in no docstring, comment, message or page."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "reference_server", "openapi", "docs", "examples", "README.md", "CONTRIBUTING.md")
KINDS = {".css", ".html", ".jinja", ".lua", ".md", ".py", ".rst", ".sql", ".txt", ".yaml"}
UNCHANGING = ("docs/adr/", "docs/_build/", "reference_server/redcore_server/store/migrations/")
"""Decisions and migrations stay as they were when they were made."""
USUAL = re.compile(
    r"there (is|are) none|has not (yet|begun|been|\w+(ed|en|ought|ound|nt)\b)|nobody-|(user|[`'\"])nobody\b|\{[^}]*\}",
    re.IGNORECASE,
)
"""Where the words are ordinary English, the name of an account or a file, or a value in a template."""


def dropped() -> list[str]:
    """The words in italics after "Drop", in CONTRIBUTING.md."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("Drop *")[2].partition("(")[0]
    return re.findall(r"\*([a-z ]+)\*", f"*{' '.join(section.split())}")


WORDS = dropped()
FOUND = re.compile(rf"\b({'|'.join(f'[{word[0].upper()}{word[0]}]{word[1:]}' for word in [*WORDS, 'are none'])})\b")


def files() -> Iterator[Path]:
    """What people read, in the repository."""
    for name in FOLDERS:
        for file in [ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"):
            if file.suffix in KINDS and not str(file.relative_to(ROOT)).startswith(UNCHANGING):
                yield file


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that people read: of Python its comments and strings."""
    if file.suffix != ".py":
        yield from enumerate(file.read_text().splitlines(), 1)
        return
    with file.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING):
                yield from enumerate(token.string.splitlines(), token.start[0])


def test_the_list_is_read() -> None:
    """CONTRIBUTING.md names the words, in the words of the table they come from."""
    assert {"told", "is none", "somebody", "nobody", "whoever", "has not", "heed", "patience"} <= set(WORDS)


def test_no_dropped_word_is_used() -> None:
    """What people read says it in plain technical English."""
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in files()
        for number, line in prose(file)
        if FOUND.search(USUAL.sub("", line)) and not (file.name == "CONTRIBUTING.md" and re.search(r"[*\"]", line))
    ]

    assert found == []


@pytest.mark.parametrize("line", ["The caller is told.", "None if it is none.", "what JSON has not"])
def test_what_would_be_found(line: str) -> None:
    """The words are found in any sentence."""
    assert FOUND.search(USUAL.sub("", line))
