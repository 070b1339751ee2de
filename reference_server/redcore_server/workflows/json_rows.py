"""The rows of a JSON Lines file: an object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson

from redcore_server.workflows.definition import RunFailed
from redcore_server.workflows.lines import Lines
from redcore_server.workflows.rows import Row, quoted


class JsonRows:
    """Reads the rows of a file."""

    def __init__(self, lines: Lines, columns: frozenset[str], required: frozenset[str]) -> None:
        """Start at the first line.

        Args:
            lines: All lines.
            columns: Allowed fields.
            required: Fields without which no row is valid.
        """
        self._lines = lines
        self._columns = columns
        self._shortest = sum(len(f'"{name}":0,') for name in required) + len("{}") - len(",")

    def batch(self, *, is_brief: bool) -> Iterator[Row]:
        """Yield the rows of the next lines.

        Args:
            is_brief: Whether rows that are too short to be valid are only counted.

        Raises:
            RunFailed: The file is one list of JSON.
        """
        lines = self._lines
        for line in lines.batch(self._is_too_short if is_brief else None):
            lines.end_row()
            lines.row += 1
            if lines.row == 1 and line.lstrip().startswith("["):
                raise RunFailed(
                    f"Line {lines.number} is not a JSON object: write one object a line, without a list around them."
                )
            values, issue = self._object(line)
            yield Row(lines.row, values, lines.number, f"{issue} (line {lines.number})" if issue else "")

    def _is_too_short(self, line: str) -> bool:
        return len(line) < self._shortest

    def _object(self, line: str) -> tuple[Mapping[str, Any], str | None]:
        """Return the fields of a line, or its problem."""
        try:
            value = orjson.loads(line.encode(errors="surrogateescape"))
        except orjson.JSONDecodeError as error:
            return {}, f"is not JSON: {error}"
        if not isinstance(value, dict):
            return {}, "is not a JSON object"
        values = cast("dict[str, Any]", value)
        if strange := values.keys() - self._columns:
            known = ", ".join(sorted(self._columns))
            return {}, f"has a field {quoted(min(strange))}; there are: {known}"
        return values, None
