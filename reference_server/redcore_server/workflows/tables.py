"""Rows of CSV and JSON Lines files, read one after the other from the object store; no file is ever whole in memory."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Literal, cast

import attrs
import orjson

from redcore_server.errors import Detail
from redcore_server.store.objects import Objects
from redcore_server.workflows.definition import RunFailed

Format = Literal["csv", "jsonl"]
BATCH_ROWS: Final = 1000
MAX_ROW_CHARACTERS: Final = 1024 * 1024
MAX_FIELD_CHARACTERS: Final = 128 * 1024


@attrs.frozen
class Row:
    """One row.

    Attributes:
        number: from 1, without a heading.
        values: by column; of a CSV file all texts, without the empty ones.
        position: how much of the file lies before its end, from 0 to 1.
    """

    number: int
    values: Mapping[str, Any]
    position: float


def row_problem(number: int, field: str, issue: str) -> Detail:
    """Return a problem of a row.

    Args:
        number: of the row.
        field: of the row; empty for the row as a whole.
        issue: what is wrong.
    """
    return Detail(f"row {number}.{field}".rstrip("."), issue)


def format_of(file: Mapping[str, Any]) -> Format:
    """Return the format that a file's name or type says; CSV if neither does.

    Args:
        file: its description.
    """
    is_jsonl = file["name"].lower().endswith((".jsonl", ".ndjson")) or "json" in file["content_type"]
    return "jsonl" if is_jsonl else "csv"


async def batches(objects: Objects, file: Mapping[str, Any], columns: frozenset[str]) -> AsyncGenerator[list[Row]]:
    """Yield the rows of a file, some at a time.

    Args:
        objects: where it is.
        file: its description, with the `key` of its bytes.
        columns: that rows may have.

    Raises:
        RunFailed: the file cannot be read as what it should be; the message says where.
        ObjectsUnavailable: the object store does not answer.
    """
    with tempfile.TemporaryFile() as local:
        async for piece in await objects.get(file["key"], 0, file["size"]):
            local.write(piece)
        local.seek(0)
        # A byte order mark is skipped; line ends in quotes stay as they are.
        with io.TextIOWrapper(cast("io.BufferedReader", local), encoding="utf-8-sig", newline="") as text:
            lines = _Lines(text, lambda: local.tell() / file["size"])
            rows = _csv_rows(lines, columns) if format_of(file) == "csv" else _json_rows(lines, columns)
            while batch := list(_some(rows, lines)):
                yield batch


def _some(rows: Iterator[Row], lines: _Lines) -> Iterator[Row]:
    """Yield the next rows: neither too many nor, if they are long, much more than the longest one."""
    stop = lines.characters + MAX_ROW_CHARACTERS
    for row in islice(rows, BATCH_ROWS):
        yield row
        if lines.characters >= stop:
            return


class _Lines:
    """The lines of a text file; those of one row are of bounded length.

    Attributes:
        position: how much of the file was read, from 0 to 1.
        number: of lines read.
        characters: read.
    """

    def __init__(self, text: io.TextIOWrapper, position: Callable[[], float]) -> None:
        self._text = text
        self._row_began = 0
        self.position = position
        self.number = 0
        self.characters = 0

    def end_row(self) -> None:
        """Let the next line be the first of another row; without quotes each line is."""
        self._row_began = self.characters

    def __iter__(self) -> Generator[str]:
        try:
            while line := self._text.readline(MAX_ROW_CHARACTERS + 1):
                self.number += 1
                self.characters += len(line)
                if len(line) > MAX_ROW_CHARACTERS:
                    raise RunFailed(f"Line {self.number} is longer than {MAX_ROW_CHARACTERS} characters.")
                if self.characters - self._row_began > MAX_ROW_CHARACTERS:
                    raise RunFailed(
                        f"The row that line {self.number} is in is longer than {MAX_ROW_CHARACTERS} characters."
                    )
                if "\0" in line:
                    raise RunFailed(f"Line {self.number} has the character U+0000.")
                yield line
        except UnicodeDecodeError:
            raise RunFailed(f"The file is not UTF-8 behind line {self.number}.") from None


def _csv_rows(lines: _Lines, columns: frozenset[str]) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    reader = csv.reader(iter(lines), strict=True)
    try:
        heading = next(reader, list[str]())
        lines.end_row()
        _check_heading(heading, columns)
        number = 0
        for values in reader:
            lines.end_row()
            if not values:  # an empty line
                continue
            number += 1
            if len(values) != len(heading):
                raise RunFailed(f"Row {number} has {len(values)} fields; the heading has {len(heading)}.")
            named = {name: value for name, value in zip(heading, values, strict=True) if value}
            yield Row(number, named, lines.position())
    except csv.Error as error:
        raise RunFailed(f"Line {lines.number} is not CSV: {error}.") from None


def _check_heading(heading: list[str], columns: frozenset[str]) -> None:
    known = ", ".join(sorted(columns))
    if strange := [name for name in heading if name not in columns]:
        told = ", ".join(repr(name[:40]) for name in strange[:5])
        raise RunFailed(f"The first line names columns that are none: {told}. They are, separated by commas: {known}.")
    if not heading or len(set(heading)) < len(heading):
        raise RunFailed(f"The first line must name columns, each once: {known}.")


def _json_rows(lines: _Lines, columns: frozenset[str]) -> Iterator[Row]:
    for number, line in enumerate(filter(str.strip, iter(lines)), 1):
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise RunFailed(f"Line {lines.number} is not JSON: {error}.") from None
        if not isinstance(value, dict):
            raise RunFailed(f"Line {lines.number} is not a JSON object.")
        lines.end_row()
        values = cast("dict[str, Any]", value)
        if strange := values.keys() - columns:
            raise RunFailed(f"Line {lines.number} has a field that is none: {min(strange)[:40]!r}.")
        if nested := next((name for name in values if isinstance(values[name], list | dict)), None):
            raise RunFailed(f"Line {lines.number} has a list or an object as its {nested}.")
        if any(isinstance(text, str) and "\0" in text for text in values.values()):
            raise RunFailed(f"Line {lines.number} has the character U+0000.")
        yield Row(number, values, lines.position())
