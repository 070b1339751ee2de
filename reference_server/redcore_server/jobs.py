"""Writes jobs on the connection of whoever causes them: a job exists if and only if its cause was committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import procrastinate
from procrastinate.types import JSONValue

from redcore_server.store.postgres import AsyncPostgres

# Never opened: a job is always written on its cause's own connection.
_jobs: Final = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer(connection: AsyncPostgres, task: str, *, priority: int = 0, **arguments: JSONValue) -> None:
    """Have a task run once the caller's transaction is committed, and never if it is not.

    Args:
        connection: With an open transaction.
        task: Its name.
        priority: Higher ones run first.
        arguments: Of the task; no secrets, for they are stored as they are.
    """
    await _jobs.configure_task(task, connection=connection, priority=priority).defer_async(**arguments)


async def defer_each(connection: AsyncPostgres, task: str, arguments: Iterable[Mapping[str, JSONValue]]) -> None:
    """Do the same for many jobs of one task, in one statement.

    Args:
        connection: With an open transaction.
        task: Its name.
        arguments: Of each job.
    """
    await _jobs.configure_task(task, connection=connection).batch_defer_async(*map(dict, arguments))
