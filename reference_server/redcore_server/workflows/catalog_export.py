"""`catalog_export`: writes the catalog to a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from redcore_server.ids import new_id
from redcore_server.store.postgres import AsyncPostgres, queries
from redcore_server.store.stored_files import Description, Digest, file_key
from redcore_server.workflows.definition import Definition, Run, RunFailed
from redcore_server.workflows.tables import BATCH_ROWS

COLUMNS: Final = ("id", "sku", "name", "price", "stock", "status", "created_at", "updated_at")
_TYPES: Final = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and full-width
_QUERIES: Final = queries("catalog")


async def work(run: Run) -> None:
    """Write a consistent snapshot of the whole catalog, in the order of its SKUs."""
    kind = run.input.get("format", "csv")
    file_id, digest = new_id("file"), Digest()
    key = file_key(run.organisation_id, file_id)
    async with run.reading() as connection:
        await run.objects.put(key, digest.of(_written(run, connection, kind)))
    is_kept = False
    try:
        description = Description(
            id=file_id, name=f"catalog.{kind}", content_type=_TYPES[kind], size=digest.size, sha256=digest.sha256
        )
        async with run.postgres.connection() as connection, connection.transaction():
            stored = await description.write(
                connection,
                organisation_id=run.organisation_id,
                storage_bytes=run.storage_bytes,
                now=run.clock.now(),
            )
            if stored is None:
                raise RunFailed("The organisation's storage is full; delete files that are no longer needed.")
            await run.succeed(connection, {"file_id": file_id})
            is_kept = True  # before the commit: if its result is lost, it may have succeeded; orphans are collected
    finally:
        if not is_kept:
            await run.objects.delete(key)


async def _written(run: Run, connection: AsyncPostgres, kind: str) -> AsyncGenerator[bytes]:
    parameters = {"organisation_id": run.organisation_id}
    counted = await (await connection.execute(_QUERIES["count"], parameters)).fetchone()
    safe = _inert if run.input.get("safe_for_spreadsheets") else _as_it_is
    total = counted["total"] if counted else 0
    done = 0
    if kind == "csv":
        yield _csv([COLUMNS])
    async with connection.cursor(name="catalog_export") as cursor:
        await cursor.execute(_QUERIES["all"], parameters)
        while rows := await cursor.fetchmany(BATCH_ROWS):
            shown = [{name: _shown(row[name]) for name in COLUMNS} for row in rows]
            yield _jsonl(shown) if kind == "jsonl" else _csv([map(safe, row.values()) for row in shown])
            done += len(rows)
            await run.report(done / max(total, done))


def _inert(value: object) -> object:
    """Return a value that spreadsheets do not interpret as a formula (OWASP, CSV Injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _as_it_is(value: object) -> object:
    return value


def _shown(value: object) -> object:
    """Return a value as the API shows it."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _jsonl(rows: Iterable[Mapping[str, object]]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


DEFINITION: Final = Definition(
    name="catalog_export",
    description="Writes the whole catalog to a file, `result.file_id`: CSV with a heading, or a JSON object a line.",
    scopes=("products:read", "files:write"),
    input_schema={
        "type": "object",
        "properties": {
            "format": {"enum": ["csv", "jsonl"], "default": "csv", "description": "Of the file."},
            "safe_for_spreadsheets": {
                "type": "boolean",
                "default": False,
                "description": (
                    "Whether texts of a CSV file that a spreadsheet would take for a formula get a ' in front; "
                    "they are not imported again as they were."
                ),
            },
        },
        "additionalProperties": False,
    },
    work=work,
)
