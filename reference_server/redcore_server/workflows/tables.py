"""Streams rows of CSV and JSON Lines files from the object store; a file is never held in memory as a whole.

An error in one row is reported for that row, and reading continues. A file fails only if the next row cannot be found:
a header without columns, an unclosed quote, a row that is too long. The output of spreadsheets is accepted: with a byte
order mark, with blanks around headings and fields, separated by semicolons or tabs, padded with commas.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, Literal, NamedTuple, cast

import attrs
import orjson

from redcore_server.errors import Detail
from redcore_server.store.objects import Objects
from redcore_server.workflows.definition import RunFailed

Format = Literal["csv", "jsonl"]
BATCH_ROWS: Final = 1000  # checked between two reports of the progress
MAX_ROW_CHARACTERS: Final = 1024 * 1024  # far above a row of the fields that are read; this much of a row is in memory
MAX_FIELD_CHARACTERS: Final = 128 * 1024  # the default of Python's csv
_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ZIP: Final = b"PK\x03\x04"  # first bytes of .xlsx and .ods files
_MAX_QUOTED: Final = 40  # characters of a name that a message quotes


class Row(NamedTuple):
    """One row; a tuple, because a file of tiny rows has a third of a million a megabyte.

    Attributes:
        number: Row number from 1, without header and blank rows.
        values: Values by column; for a CSV file all strings, without empty ones.
        line: Number of its last line in the file.
        issue: What is wrong with its syntax; then it has no values.
    """

    number: int
    values: Mapping[str, Any]
    line: int
    issue: str = ""

    def is_readable(self) -> bool:
        """Return whether it has no problem, unless its values break a rule of the API."""
        return not self.issue and not any(map(_is_never_valid, self.values.values()))

    def problems(self) -> Iterator[Detail]:
        """Yield its problem, or one for each value that is never valid in a row."""
        if self.issue:
            yield row_problem(self.number, "", self.issue)
        for name, value in self.values.items():
            if issue := _issue(value, self.line):
                yield row_problem(self.number, name, issue)


@attrs.frozen
class Batch:
    """Consecutive rows.

    Attributes:
        rows: At least one row.
        position: Fraction of the file up to the end of the last row, from 0 to 1.
    """

    rows: Sequence[Row]
    position: float


def row_problem(number: int, field: str, issue: str) -> Detail:
    """Return a problem of a row.

    Args:
        number: Number of the row.
        field: Field of the row; empty for the whole row.
        issue: Description of the problem.
    """
    return Detail(f"row {number}.{field}".rstrip("."), issue)


def format_of(file: Mapping[str, Any]) -> Format:
    """Return the format from a file's name or media type; CSV if neither tells.

    Args:
        file: Its description.
    """
    is_jsonl = file["name"].lower().endswith((".jsonl", ".ndjson")) or "json" in file["content_type"]
    return "jsonl" if is_jsonl else "csv"


async def batches(objects: Objects, file: Mapping[str, Any], columns: frozenset[str]) -> AsyncGenerator[Batch]:
    """Yield the rows of a file in batches.

    Args:
        objects: Object store with the file.
        file: Description of the file, with the `key` of its bytes.
        columns: Allowed columns.

    Raises:
        RunFailed: The file is not valid in its format; the message says where.
        ObjectsUnavailable: The object store does not answer.
    """
    with tempfile.TemporaryFile() as local:
        async for piece in await objects.get(file["key"], 0, file["size"]):
            local.write(piece)
        local.seek(0)
        _check_encoding(local.read(4))
        local.seek(0)
        # A byte order mark is skipped; line ends in quotes and bytes that are not UTF-8 are kept.
        binary = cast("io.BufferedReader", local)
        with io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            lines = _Lines(text, lambda: local.tell() / file["size"])
            rows = _csv_rows(lines, columns) if format_of(file) == "csv" else _json_rows(lines, columns)
            while some := list(_some(rows, lines)):
                yield Batch(some, lines.position())


def _check_encoding(beginning: bytes) -> None:
    if beginning.startswith(_UTF_16) or beginning[1::2] == b"\0\0" or beginning[::2] == b"\0\0":
        raise RunFailed("Line 1 is not UTF-8 but UTF-16: save the file as UTF-8, in spreadsheets as `CSV UTF-8`.")
    if beginning == _ZIP:
        raise RunFailed("The file is a spreadsheet or an archive: save it as CSV, and upload that.")


def _some(rows: Iterator[Row], lines: _Lines) -> Iterator[Row]:
    """Yield the next rows, bounded in number and, for long rows, in total size."""
    stop = lines.characters + MAX_ROW_CHARACTERS
    for row in islice(rows, BATCH_ROWS):
        yield row
        if lines.characters >= stop:
            return


class _Lines:
    """The lines of a text file; the length of a row is bounded.

    Attributes:
        position: Fraction of the file read so far, from 0 to 1.
        number: Number of lines read.
        characters: Number of characters read.
    """

    def __init__(self, text: io.TextIOWrapper, position: Callable[[], float]) -> None:
        self._text = text
        self._row_began = 0
        self.position = position
        self.number = 0
        self.characters = 0

    def end_row(self) -> None:
        """Start a new row with the next line; without quotes each line is a row."""
        self._row_began = self.characters

    def __iter__(self) -> Generator[str]:
        while line := self._text.readline(MAX_ROW_CHARACTERS + 1):
            self.number += 1
            self.characters += len(line)
            if len(line) > MAX_ROW_CHARACTERS:
                raise RunFailed(f"Line {self.number} is longer than {MAX_ROW_CHARACTERS} characters.")
            if self.characters - self._row_began > MAX_ROW_CHARACTERS:
                raise RunFailed(
                    f"The row that line {self.number} is in is longer than {MAX_ROW_CHARACTERS} characters."
                )
            yield line


def _csv_rows(lines: _Lines, columns: frozenset[str]) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    texts = iter(lines)
    heading, separator = _heading(texts, columns)
    lines.end_row()
    reader = csv.reader(texts, strict=True, delimiter=separator)
    number = 0
    while True:
        values: list[str] | str | None
        try:
            values = next(reader, None)
        except csv.Error as error:
            values = _unreadable(error, lines)
        lines.end_row()
        if values is None:
            return
        if isinstance(values, list):
            values = [value.strip() for value in values]
            if not any(values):  # as spreadsheets pad a sheet
                continue
        number += 1
        yield _csv_row(number, heading, values, lines)


def _unreadable(error: csv.Error, lines: _Lines) -> str:
    """Return the problem of a line after which the next row begins.

    Raises:
        RunFailed: The start of the next row cannot be determined.
    """
    if "expected after" not in str(error):
        raise RunFailed(f"Line {lines.number} is not CSV: {error}.") from None
    return f"is not CSV in line {lines.number} of the file: {error}"


def _csv_row(number: int, heading: Sequence[str], values: list[str] | str, lines: _Lines) -> Row:
    if isinstance(values, str):
        return Row(number, {}, lines.number, values)
    if len(values) < len(heading) or any(values[len(heading) :]):
        return Row(number, {}, lines.number, f"has {len(values)} fields; the heading has {len(heading)}")
    named = {name: value for name, value in zip(heading, values, strict=False) if value}
    return Row(number, named, lines.number)


def _heading(texts: Iterator[str], columns: frozenset[str]) -> tuple[list[str], str]:
    """Return the columns of a CSV file, and the separator."""
    line = next(texts, "")
    if not _is_text(line):
        raise RunFailed("Line 1 is not UTF-8, but perhaps Latin-1: save the file as UTF-8.")
    separators = list(_SEPARATORS)
    if line.lower().startswith("sep="):  # Excel's separator declaration
        separators = [line[4:5]] if line[4:5] in _SEPARATORS else separators
        line = next(texts, "")
    readings = [(_names(line, separator), separator) for separator in separators]
    best = max(readings, key=lambda reading: len(columns.intersection(reading[0])))
    _check_heading(best[0], best[1], columns)
    return best


def _names(line: str, separator: str) -> list[str]:
    """Return the names in the header line: any case, surrounding blanks and trailing empty names removed."""
    try:
        first = next(csv.reader([line], strict=True, delimiter=separator), list[str]())
    except csv.Error:
        return []
    names = [name.strip().casefold() for name in first]
    while names and not names[-1]:
        del names[-1]
    return names


def _check_heading(heading: list[str], separator: str, columns: frozenset[str]) -> None:
    known = ", ".join(sorted(columns))
    if strange := [name for name in heading if name not in columns]:
        listed = ", ".join(_quoted(name) for name in strange[:5])
        raise RunFailed(
            f"The first line names columns that do not exist: {listed}. "
            f"Separated by {_SEPARATORS[separator]}, they can be: {known}."
        )
    if not heading or len(set(heading)) < len(heading):
        raise RunFailed(f"The first line must name columns, each once: {known}.")


def _json_rows(lines: _Lines, columns: frozenset[str]) -> Iterator[Row]:
    texts = filter(str.strip, iter(lines))
    first = next(texts, "")
    if first.lstrip().startswith("["):
        raise RunFailed(
            f"Line {lines.number} is not a JSON object: write one object a line, without a list around them."
        )
    for number, line in enumerate(chain([first] if first else [], texts), 1):
        lines.end_row()
        values, issue = _json_object(line, columns)
        yield Row(number, values, lines.number, f"{issue} (line {lines.number})" if issue else "")


def _json_object(line: str, columns: frozenset[str]) -> tuple[Mapping[str, Any], str | None]:
    """Return the fields of a line, or its problem."""
    try:
        value = orjson.loads(line.encode(errors="surrogateescape"))
    except orjson.JSONDecodeError as error:
        return {}, f"is not JSON: {error}"
    if not isinstance(value, dict):
        return {}, "is not a JSON object"
    values = cast("dict[str, Any]", value)
    if strange := values.keys() - columns:
        known = ", ".join(sorted(columns))
        return {}, f"has a field {_quoted(min(strange))}; there are: {known}"
    return values, None


def _is_never_valid(value: object) -> bool:
    """Return whether `_issue` has something to say; called for each value, unlike that."""
    return ("\0" in value or not _is_text(value)) if isinstance(value, str) else isinstance(value, list | dict)


def _issue(value: object, line: int) -> str | None:
    if isinstance(value, list | dict):
        return "must not be a list or an object"
    if not isinstance(value, str):
        return None
    if "\0" in value:
        return "must not contain the character U+0000"
    if not _is_text(value):
        return f"is not UTF-8 in line {line} of the file, but perhaps Latin-1: save the file as UTF-8"
    return None


def _is_text(text: str) -> bool:
    """Return whether a text was valid UTF-8: invalid bytes were decoded as surrogates."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _quoted(name: str) -> str:
    return repr(name[:_MAX_QUOTED])
