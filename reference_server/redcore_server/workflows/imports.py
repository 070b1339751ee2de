"""Shared by all imports: validates the rows of a file, counts problems and keeps the first hundred."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

import attrs

from redcore_server.contract import spec
from redcore_server.contract.schema_messages import issues
from redcore_server.errors import Detail
from redcore_server.workflows.definition import MAX_DETAILS, Run, RunFailed
from redcore_server.workflows.rows import Row, row_problem
from redcore_server.workflows.tables import batches

_READING: Final = 0.9  # of the progress; the rest is writing
_MAX_DIGITS: Final = 100  # far more than any bound has; to read thousands is slow
_REPORT_BYTES: Final = 256 * 1024  # a thousand tiny rows take less than a report of the progress

INPUT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["file_id"],
    "properties": {
        "file_id": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Of an uploaded file."},
        "partial": {
            "type": "boolean",
            "default": False,
            "description": "Whether to import the good rows if others are bad; otherwise it is all or nothing.",
        },
    },
    "additionalProperties": False,
}


@attrs.frozen
class Check:
    """Validates the typed values of a row.

    Attributes:
        is_good: Returns whether they are valid; called for each row.
        problems: Returns the problems of invalid ones; called until a hundred are kept, as it costs ten times as much.
        required: Fields that valid ones have.
    """

    is_good: Callable[[Mapping[str, Any]], bool]
    problems: Callable[[Mapping[str, Any]], Iterable[Detail]]
    required: frozenset[str]


@attrs.define
class Problems:
    """The problems of an import's rows.

    Attributes:
        count: Number of rows with a problem.
        details: The first hundred problems.
    """

    count: int = 0
    details: list[Detail] = attrs.field(factory=list[Detail])

    def are_enough(self) -> bool:
        """Return whether further ones are only counted."""
        return len(self.details) >= MAX_DETAILS

    def add(self, details: Iterable[Detail]) -> None:
        """Add the problems of one row.

        Args:
            details: At least one problem; not iterated over once enough are kept, so a generator then costs nothing.
        """
        self.count += 1
        if not self.are_enough():
            self.details.extend(islice(details, MAX_DETAILS - len(self.details)))

    def add_rows(self, rows: Sequence[Mapping[str, Any]], problem: Callable[[Mapping[str, Any]], Detail]) -> None:
        """Add one problem for each of many rows.

        Args:
            rows: Rows of a query, each with the `total` of all; the query need not return more than are kept.
            problem: Returns the problem of a row.
        """
        if rows:
            self.count += rows[0]["total"]
            self.details.extend([problem(row) for row in rows][: MAX_DETAILS - len(self.details)])

    def end(self, *, is_partial: bool) -> None:
        """Check whether the valid rows may be imported.

        Raises:
            RunFailed: There are problems, and the import is all or nothing.
        """
        if self.count and not is_partial:
            rows = "1 row has" if self.count == 1 else f"{self.count} rows have"
            raise RunFailed(f"{rows} problems, so nothing was imported.", self.details)

    def as_result(self) -> Mapping[str, Any]:
        """The part of the result about problems."""
        return {
            "failed": self.count,
            "problems": [{"field": detail.field, "issue": detail.issue} for detail in self.details],
        }


async def good_rows(
    run: Run,
    *,
    columns: frozenset[str],
    typed: Callable[[Row], Mapping[str, Any]],
    check: Check,
    problems: Problems,
) -> AsyncGenerator[list[tuple[Row, Mapping[str, Any]]]]:
    """Yield the valid rows of the run's file in batches.

    Args:
        run: The run, with `file_id` in its input.
        columns: Allowed columns.
        typed: Converts the values of a row to the types that `check` expects.
        check: Validates the values of a row.
        problems: Collects the problems of the rejected rows.

    Raises:
        RunFailed: The file does not exist, or cannot be read.
        RunCancelled: The run was cancelled.
    """
    file = await run.file(run.input["file_id"])
    reported = 0.0
    async for batch in batches(run.objects, file, columns, check.required, problems.are_enough):
        problems.count += batch.skipped
        good: list[tuple[Row, Mapping[str, Any]]] = []
        for row in batch.rows:
            if row.is_readable() and check.is_good(values := typed(row)):
                good.append((row, values))
            elif problems.are_enough():
                problems.count += 1
            else:
                problems.add(_problems(row, typed, check))
        yield good
        if batch.position == 1 or (batch.position - reported) * file["size"] >= _REPORT_BYTES:
            await run.report(_READING * batch.position)
            reported = batch.position


def _problems(row: Row, typed: Callable[[Row], Mapping[str, Any]], check: Check) -> Iterator[Detail]:
    if not row.is_readable():
        yield from row.problems()
        return
    for found in check.problems(typed(row)):
        yield row_problem(row.number, found.field, found.issue)


def body_check(operation_id: str) -> Check:
    """Return the body validator of an API operation, used for imported rows as well.

    Args:
        operation_id: OperationId of an operation with a body.
    """
    rule = spec.load().operations[operation_id].body
    assert rule is not None  # noqa: S101 - a test runs each import
    return Check(rule.validator.is_valid, partial(issues, rule, name=""), rule.required)


def whole_number(text: object) -> object:
    """Return the number that a text represents; anything else unchanged, for the schema to reject.

    Args:
        text: Text of a field.
    """
    if isinstance(text, str):
        is_whole = text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= _MAX_DIGITS
        return int(text) if is_whole else text
    if isinstance(text, float) and text.is_integer():
        return int(text)  # JSON Schema accepts 5.0 as an integer, PostgreSQL's COPY does not
    return text
