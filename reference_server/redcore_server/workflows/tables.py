"""Streams rows of CSV and JSON Lines files from the object store; a file is never held in memory as a whole.

An error in one row is reported for that row, and reading continues. A file fails only if the next row cannot be found:
a header without columns, an unclosed quote, a row that is too long. The output of spreadsheets is accepted: with a byte
order mark, with blanks around headings and fields, separated by semicolons or tabs, padded with commas.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Final, Literal, cast

import attrs

from redcore_server.store.objects import Objects
from redcore_server.workflows.csv_rows import CsvRows
from redcore_server.workflows.definition import RunFailed
from redcore_server.workflows.json_rows import JsonRows
from redcore_server.workflows.lines import Lines
from redcore_server.workflows.rows import Row

Format = Literal["csv", "jsonl"]
BATCH_ROWS: Final = 1000  # of a query that reads many
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ZIP: Final = b"PK\x03\x04"  # first bytes of .xlsx and .ods files


@attrs.frozen
class Batch:
    """Consecutive rows.

    Attributes:
        rows: The rows; none if there was much else to read.
        skipped: Number of further ones that cannot be valid, and were not parsed.
        position: Fraction of the file up to the end of the last row, from 0 to 1.
    """

    rows: Sequence[Row]
    skipped: int
    position: float


def format_of(file: Mapping[str, Any]) -> Format:
    """Return the format from a file's name or media type; CSV if neither tells.

    Args:
        file: Its description.
    """
    is_jsonl = file["name"].lower().endswith((".jsonl", ".ndjson")) or "json" in file["content_type"]
    return "jsonl" if is_jsonl else "csv"


async def batches(
    objects: Objects,
    file: Mapping[str, Any],
    columns: frozenset[str],
    required: frozenset[str],
    is_brief: Callable[[], bool],
) -> AsyncGenerator[Batch]:
    """Yield the rows of a file in batches.

    Args:
        objects: Object store with the file.
        file: Description of the file, with the `key` of its bytes.
        columns: Allowed columns.
        required: Columns without which no row is valid.
        is_brief: Returns whether rows that are too short to be valid are only counted from now on.

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
            lines = Lines(text)
            rows = (CsvRows if format_of(file) == "csv" else JsonRows)(lines, columns, required)
            while not lines.are_read():
                some = list(rows.batch(is_brief=is_brief()))
                yield Batch(some, lines.skipped, 1.0 if lines.are_read() else local.tell() / file["size"])


def _check_encoding(beginning: bytes) -> None:
    if beginning.startswith(_UTF_16) or beginning[1::2] == b"\0\0" or beginning[::2] == b"\0\0":
        raise RunFailed("Line 1 is not UTF-8 but UTF-16: save the file as UTF-8, in spreadsheets as `CSV UTF-8`.")
    if beginning == _ZIP:
        raise RunFailed("The file is a spreadsheet or an archive: save it as CSV, and upload that.")
