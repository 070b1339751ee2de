"""`user_import`: creates and invites the users that a file names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from redcore_server.auth.people.person import email_key
from redcore_server.auth.people.role import ADMIN, may_appoint
from redcore_server.errors import Detail
from redcore_server.ids import new_id
from redcore_server.invitations.job import INVITATION_LIFETIME, defer_invitations
from redcore_server.invitations.limit import too_often
from redcore_server.store.jobs import note_many
from redcore_server.store.postgres import AsyncPostgres, queries
from redcore_server.workflows.definition import MAX_DETAILS, Definition, Run
from redcore_server.workflows.imports import INPUT_SCHEMA, Check, Problems, body_check, good_rows
from redcore_server.workflows.rows import Row, row_problem
from redcore_server.workflows.tables import BATCH_ROWS

_FIELDS: Final = ("email", "name", "role")
_QUERIES: Final = queries("user_import")


async def work(run: Run) -> None:
    """Stage the rows, then create and invite: one transaction, so all changes and mails happen, or none."""
    problems, is_partial = Problems(), run.input.get("partial", False)
    async with run.postgres.connection() as connection, connection.transaction():
        await connection.execute(_QUERIES["stage"])
        await _stage(run, connection, problems)
        repeated = await (await connection.execute(_QUERIES["repeated"], {"most": MAX_DETAILS})).fetchall()
        problems.add_rows(
            repeated, lambda row: row_problem(row["row_number"], "email", f"is that of row {row['first_row']}")
        )
        await connection.execute(_QUERIES["drop_repeated"])
        now = run.clock.now()
        parameters = {
            "organisation_id": run.organisation_id,
            "owner_id": run.owner_id,
            "now": now,
            "expires_at": now + INVITATION_LIFETIME,
            "most": MAX_DETAILS,
        }
        taken = await (await connection.execute(_QUERIES["drop_taken"], parameters)).fetchall()
        problems.add_rows(
            taken, lambda row: row_problem(row["row_number"], "email", "is that of a user who exists already")
        )
        often = await (await connection.execute(_QUERIES["drop_invited"], parameters)).fetchall()
        problems.add_rows(often, lambda row: row_problem(row["row_number"], "email", too_often(row["again"])))
        problems.end(is_partial=is_partial)
        await connection.execute(_QUERIES["count_invited"], parameters)
        created = (await connection.execute(_QUERIES["add_users"], parameters)).rowcount
        await connection.execute(_QUERIES["add_invitations"], parameters)
        if created:
            await _invite(connection)
        await run.succeed(connection, {"created": created, **problems.as_result()})


async def _stage(run: Run, connection: AsyncPostgres, problems: Problems) -> None:
    rows = good_rows(run, columns=frozenset(_FIELDS), typed=_typed, check=_check(run), problems=problems)
    async with connection.cursor() as cursor, cursor.copy(_QUERIES["copy"]) as copy:
        async for batch in rows:
            for row, values in batch:
                email = values["email"]
                ids = (new_id("usr"), new_id("inv"))
                role = values.get("role", "viewer")
                await copy.write_row((row.number, *ids, email, email_key(email), values["name"], role))


async def _invite(connection: AsyncPostgres) -> None:
    async with connection.cursor(name="invitations") as cursor:
        await cursor.execute(_QUERIES["invitations"])
        while rows := await cursor.fetchmany(BATCH_ROWS):
            await defer_invitations(connection, [row["invitation_id"] for row in rows])
    await note_many(connection)


def _check(run: Run) -> Check:
    """Return the check of a user; a run cannot grant a role beyond its own permissions."""
    body = body_check("users_create")

    def is_good(values: Mapping[str, Any]) -> bool:
        return body.is_good(values) and may_appoint(run.scopes, values.get("role", "viewer"))

    def problems(values: Mapping[str, Any]) -> Iterable[Detail]:
        if body.is_good(values):
            return [Detail("role", f"needs the scope {ADMIN}, with which the run was not started")]
        return body.problems(values)

    return attrs.evolve(body, is_good=is_good, problems=problems)


def _typed(row: Row) -> Mapping[str, Any]:
    return row.values


DEFINITION: Final = Definition(
    name="user_import",
    description=(
        "Creates users from a CSV file with the heading `email,name,role` or a file of JSON lines, and mails each an "
        "invitation. `result` counts what was created and failed."
    ),
    scopes=("users:write", "files:read"),
    input_schema=INPUT_SCHEMA,
    work=work,
)
