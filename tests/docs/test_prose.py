"""The words that CONTRIBUTING.md drops are in no docstring, comment, message, page or name."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "reference_server", "openapi", "docs", "examples", "README.md", "CONTRIBUTING.md")
PROGRAMS = ("tests", "benchmarks", "noxfile.py")
"""Of these only docstrings, comments and names are read: their strings are data."""
KINDS = {".css", ".html", ".jinja", ".lua", ".md", ".py", ".rst", ".sql", ".txt", ".yaml"}
UNCHANGING = ("docs/_build/", "reference_server/redcore_server/store/migrations/")
"""What is built, and migrations, which are not changed after they were made."""
USUAL = re.compile(
    r"there (is|are) none|Be Whoever You Want|"
    r"has not (yet|begun|been|\w+(ed|en|ought|ound|nt)\b)|nobody-|(user|[`'\"])nobody\b|\{[^}]*\}",
    re.IGNORECASE,
)
"""Ordinary English, a title that is quoted, the name of an account or a file, or a value in a template."""


def dropped() -> list[str]:
    """Return the words in italics after "Drop", in CONTRIBUTING.md."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("Drop *")[2].partition("(")[0]
    return re.findall(r"\*([a-z ]+)\*", f"*{' '.join(section.split())}")


WORDS = dropped()
FOUND = re.compile(rf"\b({'|'.join(f'[{word[0].upper()}{word[0]}]{word[1:]}' for word in [*WORDS, 'are none'])})\b")
NAMED = re.compile(rf"(?<![a-z])({'|'.join(word for word in WORDS if ' ' not in word)})s?(?![a-z])", re.IGNORECASE)
BEFORE_A_STATEMENT = {
    tokenize.ENCODING,
    tokenize.NEWLINE,
    tokenize.NL,
    tokenize.COMMENT,
    tokenize.INDENT,
    tokenize.DEDENT,
}


def files(folders: Iterable[str]) -> Iterator[Path]:
    """Yield the files that people read."""
    for name in folders:
        for file in [ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"):
            if file.suffix in KINDS and not str(file.relative_to(ROOT)).startswith(UNCHANGING):
                yield file


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that people read in a file with one of the words: of Python its comments and strings."""
    if not FOUND.search(text := file.read_text()):
        return
    if file.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokens_of(file):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield from enumerate(token.string.splitlines(), token.start[0])


def comments(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of docstrings and comments in a Python file with one of the words."""
    if file.suffix != ".py" or not FOUND.search(file.read_text()):
        return
    tokens = tokens_of(file)
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        is_docstring = before.type in BEFORE_A_STATEMENT and after.type in (tokenize.NEWLINE, tokenize.COMMENT)
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and is_docstring):
            yield from enumerate(token.string.splitlines(), token.start[0])


def names(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the identifiers of a Python file with one of the words."""
    if file.suffix == ".py" and NAMED.search(file.read_text()):
        yield from ((token.start[0], token.string) for token in tokens_of(file) if token.type == tokenize.NAME)


def tokens_of(file: Path) -> list[tokenize.TokenInfo]:
    """Return the tokens of a Python file."""
    with file.open("rb") as source:
        return list(tokenize.tokenize(source.readline))


def test_the_list_is_read() -> None:
    """CONTRIBUTING.md has the words, in the form that the test expects."""
    assert {"told", "is none", "somebody", "nobody", "whoever", "has not", "heed", "patience"} <= set(WORDS)


def test_no_dropped_word_is_used() -> None:
    """Documentation, docstrings, comments and messages are in plain technical English."""
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for folders, lines_of in ((FOLDERS, prose), (PROGRAMS, comments))
        for file in files(folders)
        for number, line in lines_of(file)
        if FOUND.search(USUAL.sub("", line)) and not (file.name == "CONTRIBUTING.md" and re.search(r"[*\"]", line))
    ]

    assert found == []


def test_no_name_has_a_dropped_word() -> None:
    """A name says what it holds; `pytest -k` finds a test by the field's words."""
    found = [
        f"{file.relative_to(ROOT)}:{number}: {name}"
        for file in files((*FOLDERS, *PROGRAMS))
        for number, name in names(file)
        if NAMED.search(name)
    ]

    assert found == []


@pytest.mark.parametrize("line", ["The caller is told.", "None if it is none.", "what JSON has not"])
def test_lines_that_would_be_found(line: str) -> None:
    """The words are found in any sentence."""
    assert FOUND.search(USUAL.sub("", line))


@pytest.mark.parametrize("name", ["told", "NOBODY", "test_the_application_is_told", "_PATIENCE_S", "frees_nobodys"])
def test_names_that_would_be_found(name: str) -> None:
    """The words are found in any name."""
    assert NAMED.search(name)


def test_strings_of_tests_are_data(tmp_path: Path) -> None:
    """Of a test's file only docstrings and comments are read."""
    file = tmp_path / "test_logins.py"
    file.write_text('''"""Nobody."""\n\n\ndef test() -> None:\n    """Told."""  # told\n    call("told")\n''')

    assert list(comments(file)) == [(1, '"""Nobody."""'), (5, '"""Told."""'), (5, "# told")]
