"""What is for programs, on stdout: tables, JSON, JSON lines, CSV; fields and jq. All else goes to stderr.

A table is drawn for people only. In a pipe it is lines of tab-separated values without a heading, whose columns are
those of the spec and stay as they are from version to version.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import chain, islice
from typing import Any, Literal, TypeAlias, cast

import click

from redcore.cli.terminal import harmless

Format: TypeAlias = Literal["table", "json", "jsonl", "csv"]
FORMATS = ("table", "json", "jsonl", "csv")
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell of a formula begins with (OWASP, CSV Injection), also in full width."""
ROWS_BEFORE_PAGER = 2
"""Lines that a pager needs for itself."""


class Output:
    """How the result of one command is written.

    Args:
        format: One of `FORMATS`.
        fields: The fields that are wanted; empty for all of them.
        jq: An expression of jq that is applied before anything is written; empty for none.
        in_colour: Whether stdout takes colours.
        safe: Whether texts that a spreadsheet would take for a formula get a ' in front, in CSV.
    """

    def __init__(
        self,
        format: Format,  # noqa: A002 (the option's name)
        *,
        fields: Sequence[str],
        jq: str,
        in_colour: bool,
        safe: bool = False,
    ) -> None:
        self.format = format
        self._fields = tuple(fields)
        self._program = compiled(jq) if jq else None
        self._in_colour = in_colour
        self._is_safe = safe

    def one(self, value: Any, columns: Sequence[str]) -> None:
        """Write one object."""
        plain = self._chosen(as_data(value), columns)
        if self._program is not None:
            self._filtered(plain)
        elif self.format == "table":
            self._record(plain)
        elif self.format == "csv":
            self._csv([plain], columns)
        else:
            self._json(plain, indent=self.format == "json")

    def many(self, values: Iterable[Any], columns: Sequence[str]) -> None:
        """Write a listing, as it comes where the format allows that."""
        rows = (self._chosen(as_data(value), columns) for value in values)
        if self.format == "jsonl":
            for row in rows:
                if self._program is None:
                    self._json(row, indent=False)
                else:
                    self._filtered(row)
        elif self._program is not None:
            self._filtered(list(rows))
        elif self.format == "json":
            self._json_array(rows)
        elif self.format == "csv":
            self._csv(rows, columns)
        elif sys.stdout.isatty():
            self._table(rows, self._fields or columns)
        else:
            for row in rows:
                self._line("\t".join(cell(value) for value in row.values()))

    def other(self, value: Any) -> None:
        """Write JSON that is neither an object nor a listing of objects."""
        if self._program is not None:
            self._filtered(value)
        else:
            self._json(value, indent=self.format == "json")

    def _chosen(self, plain: Any, columns: Sequence[str]) -> dict[str, Any]:
        """The fields that are wanted, in their order."""
        row = cast("dict[str, Any]", plain)
        if not self._fields:
            return {**{name: row.get(name) for name in columns if name in row}, **row}
        known = columns or tuple(row)
        if unknown := [name for name in self._fields if name not in known and name not in row]:
            raise click.UsageError(f"There is no field {unknown[0]!r}; --json takes {', '.join(known)}.")
        return {name: row.get(name) for name in self._fields}

    def _filtered(self, value: Any) -> None:
        assert self._program is not None  # noqa: S101 (both callers have looked)
        try:
            results = list(self._program.input_value(value))
        except ValueError as problem:
            raise click.ClickException(f"--jq: {problem}") from None
        for result in results:
            if isinstance(result, str):
                self._line(harmless(result) if sys.stdout.isatty() else result)
            else:
                self._json(result, indent=False)

    def _json(self, value: Any, *, indent: bool) -> None:
        pretty = indent and sys.stdout.isatty()
        self._line(json.dumps(value, ensure_ascii=False, indent=2 if pretty else None))

    def _json_array(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """A JSON array, written row by row: a long listing is never held."""
        separator = "["
        for row in rows:
            click.echo(separator + json.dumps(row, ensure_ascii=False), nl=False)
            separator = ",\n "
        self._line("]" if separator != "[" else "[]")

    def _csv(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
        names = list(self._fields or columns)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([self._csv_cell(row.get(name)) for name in names])

    def _csv_cell(self, value: Any) -> str:
        text, is_number = cell(value, keep=True), isinstance(value, int | float)
        return f"'{text}" if self._is_safe and text.startswith(FORMULAS) and not is_number else text

    def _record(self, row: Mapping[str, Any]) -> None:
        """One object, a line for each field."""
        if not sys.stdout.isatty():
            for name, value in row.items():
                self._line(f"{name}\t{cell(value)}")
            return
        width = max(map(len, row), default=0)
        for name, value in row.items():
            label = f"{name}:".ljust(width + 2)
            self._line(
                click.style(label, bold=True) + cell(value, keep=True) if self._in_colour else label + cell(value)
            )

    def _table(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """A table as wide as the terminal; one longer than the terminal goes through a pager."""
        height = shutil.get_terminal_size().lines - ROWS_BEFORE_PAGER
        iterator = iter(rows)
        first = list(islice(iterator, height))
        if not first:
            click.echo("Nothing found.", err=True)
            return
        rest = list(iterator)
        text = drawn(chain(first, rest), columns, in_colour=self._in_colour)
        if rest:
            click.echo_via_pager(text, color=self._in_colour)
        else:
            click.echo(text, nl=False, color=self._in_colour)

    @staticmethod
    def _line(text: str) -> None:
        click.echo(text)


def as_data(value: Any) -> Any:
    """Return a model as plain data, with the names and values of the wire."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else value.to_dict()


def compiled(expression: str) -> Any:
    """Compile an expression of jq.

    Raises:
        click.UsageError: it is not one.
    """
    try:
        jq: Any = import_module("jq")  # only where it is asked for; it has no types
    except ImportError:
        raise click.UsageError(
            "--jq needs the package jq, which is not installed (there is none for Windows); --json FIELDS does not."
        ) from None
    try:
        return jq.compile(expression)
    except ValueError as problem:
        raise click.UsageError(f"--jq: {str(problem).strip().splitlines()[0]}") from None


def cell(value: Any, *, keep: bool = False) -> str:
    """Return a value as the text of a cell.

    Args:
        value: Plain data.
        keep: Whether tabs and line ends stay, as CSV can quote them.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in cast("Iterable[Any]", value)):
        value = " ".join(cast("Iterable[str]", value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    printable = "".join(c if c.isprintable() or (keep and c in "\n\t") else " " for c in text)
    return printable if keep else " ".join(printable.split("\t"))


def drawn(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, in_colour: bool) -> str:
    """Return a table as text."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 (only for people at a terminal)
    from rich.console import Console  # noqa: PLC0415 (as above)
    from rich.table import Table  # noqa: PLC0415 (as above)
    from rich.text import Text  # noqa: PLC0415 (as above)

    console = Console(no_color=not in_colour, highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    names = shown(columns, console.width)
    for number, name in enumerate(names):
        # Ids come first, and stay whole, as they are copied to other commands: rich narrows columns that may wrap.
        table.add_column(Text(name, no_wrap=True, overflow="ellipsis"), no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(cell(row.get(name)), no_wrap=True, overflow="ellipsis") for name in names))
    with console.capture() as captured:
        console.print(table)
    return captured.get()


COLUMN_WIDTH = 18
"""What a column needs to be of use."""


def shown(columns: Sequence[str], width: int) -> list[str]:
    """Return the columns that a terminal has room for: the first ones, at least two."""
    return list(columns[: max(2, width // COLUMN_WIDTH)])


def limited(values: Iterator[Any], limit: int | None) -> Iterator[Any]:
    """Return at most so many of the values; all for None."""
    return values if limit is None else islice(values, min(limit, sys.maxsize))  # more it does not count
