"""The lines of a text file, in batches that end where a row ends; the length of a row is bounded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Final

from redcore_server.workflows.definition import RunFailed

MAX_ROW_CHARACTERS: Final = 1024 * 1024  # far above a row of the fields that are read; this much of a row is in memory
_BATCH_LINES: Final = 1000  # checked between two reports of the progress


class Lines:
    """The lines of a text file.

    Attributes:
        number: Number of lines read.
        row: Number of the last row, without header and blank rows.
        skipped: Number of rows of the batch that were counted and not yielded.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        """Start before the first line.

        Args:
            text: The file; its line ends are kept as they are.
        """
        self._text = text
        self._characters = 0
        self._row_began = 0
        self.number = 0
        self.row = 0
        self.skipped = 0
        self._is_over = False

    def are_read(self) -> bool:
        """Return whether all lines were read."""
        return self._is_over

    def heading(self) -> str:
        """Return the next line, which is not a row.

        Raises:
            RunFailed: It is too long.
        """
        line = self._next()
        self.end_row()
        return line

    def batch(self, is_hopeless: Callable[[str], bool] | None = None) -> Iterator[str]:
        """Yield the next lines up to the end of a row, without blank rows.

        They are bounded in number and, for long rows, in total size.

        Args:
            is_hopeless: Returns whether a line is a row that cannot be valid, and is only counted.

        Raises:
            RunFailed: A row is too long.
        """
        self.skipped = 0
        last, end = self.number + _BATCH_LINES, self._characters + MAX_ROW_CHARACTERS
        while True:
            is_new = self._row_began == self._characters
            if is_new and (self.number >= last or self._characters >= end):
                return
            if not (line := self._next()):
                self._is_over = True
                return
            if is_new and line.isspace():
                self.end_row()
            elif is_new and is_hopeless is not None and is_hopeless(line):
                self.end_row()
                self.row += 1
                self.skipped += 1
            else:
                yield line

    def end_row(self) -> None:
        """Start a new row with the next line; without quotes each line is a row."""
        self._row_began = self._characters

    def _next(self) -> str:
        line = self._text.readline(MAX_ROW_CHARACTERS + 1)
        if line:
            self.number += 1
            self._characters += len(line)
            if self._characters - self._row_began > MAX_ROW_CHARACTERS:
                raise self._too_long(line)
        return line

    def _too_long(self, line: str) -> RunFailed:
        what = f"Line {self.number}" if len(line) > MAX_ROW_CHARACTERS else f"The row that line {self.number} is in"
        return RunFailed(f"{what} is longer than {MAX_ROW_CHARACTERS} characters.")
