"""A row of an imported file, as its format gives it: not yet checked by the rules of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from redcore_server.errors import Detail

_MAX_QUOTED: Final = 40  # characters of a name that a message quotes


class Row(NamedTuple):
    """One row; a tuple, because a file of short rows has a hundred thousand a megabyte.

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
        for value in self.values.values():
            if isinstance(value, str):
                if "\0" in value or not (value.isascii() or is_text(value)):
                    return False
            elif isinstance(value, list | dict):
                return False
        return not self.issue

    def problems(self) -> Iterator[Detail]:
        """Yield its problem, or one for each value that is never valid in a row."""
        if self.issue:
            yield row_problem(self.number, "", self.issue)
        for name, value in self.values.items():
            if issue := _issue(value, self.line):
                yield row_problem(self.number, name, issue)


def row_problem(number: int, field: str, issue: str) -> Detail:
    """Return a problem of a row.

    Args:
        number: Number of the row.
        field: Field of the row; empty for the whole row.
        issue: Description of the problem.
    """
    return Detail(f"row {number}.{field}".rstrip("."), issue)


def is_text(text: str) -> bool:
    """Return whether a text was valid UTF-8: invalid bytes were decoded as surrogates.

    Args:
        text: Text decoded with `surrogateescape`.
    """
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _issue(value: object, line: int) -> str | None:
    if isinstance(value, list | dict):
        return "must not be a list or an object"
    if not isinstance(value, str):
        return None
    if "\0" in value:
        return "must not contain the character U+0000"
    if not is_text(value):
        return f"is not UTF-8 in line {line} of the file, but perhaps Latin-1: save the file as UTF-8"
    return None


def quoted(name: str) -> str:
    """Return a name from a file for a message: in quotes, and not long.

    Args:
        name: The name.
    """
    return repr(name[:_MAX_QUOTED])
