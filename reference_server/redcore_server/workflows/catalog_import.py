"""`catalog_import`: creates and updates catalog products from a file, by SKU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from redcore_server.ids import new_id
from redcore_server.store.postgres import AsyncPostgres, queries
from redcore_server.workflows import catalog_export
from redcore_server.workflows.definition import MAX_DETAILS, Definition, Run
from redcore_server.workflows.imports import INPUT_SCHEMA, Problems, body_check, good_rows, whole_number
from redcore_server.workflows.rows import Row, row_problem

FIELDS: Final = ("sku", "name", "price", "stock", "status")
_COLUMNS: Final = frozenset(catalog_export.COLUMNS)  # an exported file can be imported again
_NUMBERS: Final = ("price", "stock")
_IGNORED: Final = tuple(_COLUMNS.difference(FIELDS))
_QUERIES: Final = queries("catalog")


async def work(run: Run) -> None:
    """Stage the rows, then merge them into the catalog: one transaction, so all changes are made, or none."""
    problems, is_partial = Problems(), run.input.get("partial", False)
    async with run.postgres.connection() as connection, connection.transaction():
        await connection.execute(_QUERIES["stage"])
        await _stage(run, connection, problems)
        repeated = await (await connection.execute(_QUERIES["repeated"], {"most": MAX_DETAILS})).fetchall()
        problems.add_rows(
            repeated, lambda row: row_problem(row["row_number"], "sku", f"is that of row {row['first_row']}")
        )
        problems.end(is_partial=is_partial)
        await connection.execute(_QUERIES["drop_repeated"])
        parameters = {"organisation_id": run.organisation_id, "now": run.clock.now()}
        await connection.execute(_QUERIES["lock"], parameters)
        counts = await (await connection.execute(_QUERIES["merge"], parameters)).fetchone()
        await run.succeed(connection, {**(counts or {}), **problems.as_result()})


async def _stage(run: Run, connection: AsyncPostgres, problems: Problems) -> None:
    rows = good_rows(run, columns=_COLUMNS, typed=_typed, check=body_check("products_create"), problems=problems)
    async with connection.cursor() as cursor, cursor.copy(_QUERIES["copy"]) as copy:
        async for batch in rows:
            for row, values in batch:
                await copy.write_row((row.number, new_id("prod"), *(values.get(name) for name in FIELDS)))


def _typed(row: Row) -> Mapping[str, Any]:
    values = dict(row.values)
    for name in _NUMBERS:
        if name in values:
            values[name] = whole_number(values[name])
    for name in _IGNORED:
        values.pop(name, None)
    return values


DEFINITION: Final = Definition(
    name="catalog_import",
    description=(
        "Creates and updates products by their sku from a CSV file with a heading or a file of JSON lines, "
        "such as `catalog_export` writes. `result` counts what was created, updated and failed."
    ),
    scopes=("products:write", "files:read"),
    input_schema=INPUT_SCHEMA,
    work=work,
)
