"""Writes jobs on the connection of their cause: a job exists if and only if its cause was committed.

A job carries the id of the request that caused it, also through intermediate jobs, so that one id finds all log lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import procrastinate
from procrastinate.types import JSONValue
from structlog.contextvars import get_contextvars

from redcore_server.store.postgres import AsyncPostgres

URGENT: Final = "default"
"""The queue of urgent jobs: mail, revocations, deletions. Named as in earlier versions, whose jobs it includes."""

RUNS: Final = "runs"
"""The queue of workflow runs, which take long."""

REQUEST_ID: Final = "request_id"
"""Key in the log context, and name of the job argument that carries the request id."""


class BusyElsewhere(Exception):  # noqa: N818 - a state, not an error: the job retries shortly
    """Another worker is doing the same, or one was killed while its last statement is still running."""


# A queue that has just become long is in the statistics of PostgreSQL a minute later. Until then it plans as if the
# queue were empty, as it mostly is: each worker that takes a job sorts all of them, or compares each with each. While
# another transaction does the same, that is enough.
_ANALYZE: Final = "analyze (skip_locked) procrastinate_jobs (status, queue_name, lock, priority, scheduled_at)"

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
    """Schedule a task, if and only if the caller's transaction commits.

    Args:
        connection: Connection with an open transaction.
        task: Name of the task.
        priority: Higher ones run first.
        after_s: Seconds to wait before it runs.
        queue: `URGENT` or `RUNS`; each has its own slots.
        lock: Jobs with the same lock run sequentially; None for an independent job.
        arguments: Arguments of the task; no secrets, because they are stored unencrypted.
    """
    schedule = {"seconds": after_s} if after_s else None
    configured = _jobs.configure_task(
        task, connection=connection, priority=priority, queue=queue, lock=lock, schedule_in=schedule
    )
    await configured.defer_async(**_with_cause(arguments))


async def defer_each(
    connection: AsyncPostgres, task: str, arguments: Iterable[Mapping[str, JSONValue]], *, priority: int = 0
) -> None:
    """Schedule many jobs of one task, in one statement; call `note_many` behind the last.

    Args:
        connection: Connection with an open transaction.
        task: Name of the task.
        arguments: Arguments of each job.
        priority: Higher ones run first.
    """
    await _jobs.configure_task(task, connection=connection, priority=priority).batch_defer_async(
        *map(_with_cause, arguments)
    )


async def note_many(connection: AsyncPostgres) -> None:
    """Make PostgreSQL plan for a long queue.

    Args:
        connection: Connection with an open transaction, in which many jobs were scheduled.
    """
    await connection.execute(_ANALYZE)


def _with_cause(arguments: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    return {**arguments, REQUEST_ID: get_contextvars().get(REQUEST_ID)}
