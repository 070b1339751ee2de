"""The rows of a CSV file, as spreadsheets write it: blanks around fields, other separators, padded with commas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final

from redcore_server.workflows.definition import RunFailed
from redcore_server.workflows.lines import Lines
from redcore_server.workflows.rows import Row, is_text, quoted

MAX_FIELD_CHARACTERS: Final = 128 * 1024  # the default of Python's csv
_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}


class CsvRows:
    """Reads the rows behind a heading."""

    def __init__(self, lines: Lines, columns: frozenset[str], required: frozenset[str]) -> None:
        """Read the heading.

        Args:
            lines: All lines.
            columns: Allowed columns.
            required: Columns without which no row is valid.

        Raises:
            RunFailed: The heading is not valid.
        """
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        self._lines = lines
        self._heading, self._separator = _heading(lines, columns)
        self._shortest = len(self._heading) - 1 + len(required)  # separators, and a character for each required field

    def batch(self, *, is_brief: bool) -> Iterator[Row]:
        """Yield the rows of the next lines.

        Args:
            is_brief: Whether rows that are too short to be valid are only counted.

        Raises:
            RunFailed: The start of the next row cannot be determined.
        """
        lines = self._lines
        reader = csv.reader(
            lines.batch(self._is_too_short if is_brief else None), strict=True, delimiter=self._separator
        )
        while True:
            try:
                values = next(reader, None)
            except csv.Error as error:
                issue = _unreadable(error, lines)
                lines.end_row()
                lines.row += 1
                yield Row(lines.row, {}, lines.number, issue)
                continue
            lines.end_row()
            if values is None:
                return
            if row := self._row(values):
                yield row

    def _is_too_short(self, line: str) -> bool:
        """Return whether a line is a row that is too short to be valid; one with a quote may have further lines."""
        text = line.rstrip("\r\n")
        if len(text) >= self._shortest or '"' in text:
            return False
        return not text.replace(self._separator, " ").isspace()

    def _row(self, values: list[str]) -> Row | None:
        """Return a row; None if it is blank, as spreadsheets pad a sheet."""
        named: dict[str, str] = {}
        for name, value in zip(self._heading, values):  # noqa: B905 - `strict` would cost as much as the loop
            if stripped := value.strip():
                named[name] = stripped
        lines, width = self._lines, len(self._heading)
        has_more = len(values) > width and any(map(str.strip, values[width:]))
        if not named and not has_more:
            return None
        lines.row += 1
        if has_more or len(values) < width:
            return Row(lines.row, {}, lines.number, f"has {len(values)} fields; the heading has {width}")
        return Row(lines.row, named, lines.number)


def _unreadable(error: csv.Error, lines: Lines) -> str:
    """Return the problem of a line after which the next row begins.

    Raises:
        RunFailed: The start of the next row cannot be determined.
    """
    if "expected after" not in str(error):
        raise RunFailed(f"Line {lines.number} is not CSV: {error}.") from None
    return f"is not CSV in line {lines.number} of the file: {error}"


def _heading(lines: Lines, columns: frozenset[str]) -> tuple[list[str], str]:
    """Return the columns of a CSV file, and the separator."""
    line = lines.heading()
    if not is_text(line):
        raise RunFailed("Line 1 is not UTF-8, but perhaps Latin-1: save the file as UTF-8.")
    separators = list(_SEPARATORS)
    if line.lower().startswith("sep="):  # Excel's separator declaration
        separators = [line[4:5]] if line[4:5] in _SEPARATORS else separators
        line = lines.heading()
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
        listed = ", ".join(quoted(name) for name in strange[:5])
        raise RunFailed(
            f"The first line names columns that do not exist: {listed}. "
            f"Separated by {_SEPARATORS[separator]}, they can be: {known}."
        )
    if not heading or len(set(heading)) < len(heading):
        raise RunFailed(f"The first line must name columns, each once: {known}.")
