"""What all imports have in common: the rows of a file, checked; problems counted, the first hundred kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from redcore_server.contract import spec
from redcore_server.contract.schema_messages import issues
from redcore_server.errors import Detail
from redcore_server.workflows.definition import MAX_DETAILS, Run, RunFailed
from redcore_server.workflows.tables import Row, batches, row_problem

_READING: Final = 0.9  # of the progress; the rest is writing

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


@attrs.define
class Problems:
    """The problems of an import's rows.

    Attributes:
        count: Of all rows that have one.
        details: The first hundred.
    """

    count: int = 0
    details: list[Detail] = attrs.field(factory=list[Detail])

    def add(self, details: Sequence[Detail]) -> None:
        """Add the problems of one row.

        Args:
            details: At least one.
        """
        self.count += 1
        self.details.extend(details[: MAX_DETAILS - len(self.details)])

    def add_rows(self, rows: Sequence[Mapping[str, Any]], told: Callable[[Mapping[str, Any]], Detail]) -> None:
        """Add one problem each of many rows.

        Args:
            rows: What a query found, with the `total` of all in each; it need not return more than are kept.
            told: Gives the problem of one of them.
        """
        if rows:
            self.count += rows[0]["total"]
            self.details.extend([told(row) for row in rows][: MAX_DETAILS - len(self.details)])

    def end(self, *, is_partial: bool) -> None:
        """Decide whether the good rows count.

        Raises:
            RunFailed: There are problems, and it is all or nothing.
        """
        if self.count and not is_partial:
            rows = "1 row has" if self.count == 1 else f"{self.count} rows have"
            raise RunFailed(f"{rows} problems, so nothing was imported.", self.details)

    def told(self) -> Mapping[str, Any]:
        """What the result says of them."""
        return {
            "failed": self.count,
            "problems": [{"field": detail.field, "issue": detail.issue} for detail in self.details],
        }


async def good_rows(
    run: Run,
    *,
    columns: frozenset[str],
    typed: Callable[[Row], Mapping[str, Any]],
    check: Callable[[Mapping[str, Any]], Iterable[Detail]],
    problems: Problems,
) -> AsyncGenerator[list[tuple[Row, Mapping[str, Any]]]]:
    """Yield the rows of the run's file that have no problems, some at a time.

    Args:
        run: With `file_id` in its input.
        columns: That rows may have.
        typed: Gives the values of a row as `check` expects them.
        check: Gives what is wrong with the values of a row.
        problems: Gets what is wrong with the rows that are left out.

    Raises:
        RunFailed: There is no such file, or it cannot be read.
        RunCancelled: The run shall stop.
    """
    file = await run.file(run.input["file_id"])
    async for batch in batches(run.objects, file, columns):
        good: list[tuple[Row, Mapping[str, Any]]] = []
        for row in batch:
            values = typed(row)
            details = row.problems or [row_problem(row.number, found.field, found.issue) for found in check(values)]
            if details:
                problems.add(details)
            else:
                good.append((row, values))
        yield good
        await run.report(_READING * batch[-1].position)


def body_check(operation_id: str) -> Callable[[Mapping[str, Any]], Iterable[Detail]]:
    """Return the check of the body of an operation of the API, which holds for imported rows too.

    Args:
        operation_id: Of an operation that has one.
    """
    rule = spec.load().operations[operation_id].body
    assert rule is not None  # noqa: S101 - a test imports with each
    return partial(issues, rule, name="")


def whole_number(text: object) -> object:
    """Return the number that a text is; anything else as it is, for the rule to refuse.

    Args:
        text: Of a field.
    """
    if isinstance(text, float) and text.is_integer():
        return int(text)  # JSON Schema takes 5.0 for a whole number, the COPY of PostgreSQL does not
    if isinstance(text, str) and text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 20:
        return int(text)
    return text
