"""Writes jobs on the connection of whoever causes them: a job exists if and only if its cause was committed.

A job carries the id of the request that caused it, through any number of jobs between, so that one id finds every line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import procrastinate
from procrastinate.types import JSONValue
from structlog.contextvars import get_contextvars

from redcore_server.store.postgres import AsyncPostgres

URGENT: Final = "default"
"""The queue of what is done soon: mail, revocations, deletions. It has the name that jobs of earlier versions have."""

RUNS: Final = "runs"
"""The queue of workflow runs, which take long."""

REQUEST_ID: Final = "request_id"
"""Of the log's context, and the argument of a job that carries it."""


class BusyElsewhere(Exception):  # noqa: N818 - a state, not a fault: the job asks again shortly
    """Another worker does the same at this moment, or one was killed while its last statement still runs."""


# Never opened: a job is always written on its cause's own connection.
_jobs: Final = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer(
    connection: AsyncPostgres,
    task: str,
    *,
    priority: int = 0,
    after_s: int = 0,
    queue: str = URGENT,
    lock: str | None = None,
    **arguments: JSONValue,
) -> None:
    """Have a task run once the caller's transaction is committed, and never if it is not.

    Args:
        connection: With an open transaction.
        task: Its name.
        priority: Higher ones run first.
        after_s: Seconds to wait before it runs.
        queue: `URGENT` or `RUNS`; each has slots of its own.
        lock: Jobs of one lock run one after the other; None for a job that waits for no other.
        arguments: Of the task; no secrets, for they are stored as they are.
    """
    schedule = {"seconds": after_s} if after_s else None
    configured = _jobs.configure_task(
        task, connection=connection, priority=priority, queue=queue, lock=lock, schedule_in=schedule
    )
    await configured.defer_async(**_with_cause(arguments))


async def defer_each(
    connection: AsyncPostgres, task: str, arguments: Iterable[Mapping[str, JSONValue]], *, priority: int = 0
) -> None:
    """Do the same for many jobs of one task, in one statement.

    Args:
        connection: With an open transaction.
        task: Its name.
        arguments: Of each job.
        priority: As above.
    """
    await _jobs.configure_task(task, connection=connection, priority=priority).batch_defer_async(
        *map(_with_cause, arguments)
    )


def _with_cause(arguments: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    return {**arguments, REQUEST_ID: get_contextvars().get(REQUEST_ID)}
