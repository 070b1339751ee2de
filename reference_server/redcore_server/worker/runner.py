"""Runs the jobs of one queue on an event loop, including those that a killed worker left unfinished.

Delivery is at least once: jobs must be idempotent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

import attrs
import procrastinate
import structlog
from procrastinate import jobs
from structlog.contextvars import bound_contextvars

from redcore_server.mail.mailer import MailRefused
from redcore_server.store.ending import end
from redcore_server.store.jobs import REQUEST_ID, URGENT, BusyElsewhere
from redcore_server.store.postgres import AsyncPool

_CONCURRENCY: Final = 4  # jobs wait for other systems most of the time
_POLL_S: Final = 1.0  # polling interval for retries; new jobs are announced
_HEARTBEAT_S: Final = 1.0
_DEAD_AFTER_S: Final = 5.0  # without a heartbeat; then other workers run its jobs
_LONGEST_WAIT_S: Final = 300  # so that mail is sent within minutes after an outage
_BUSY_S: Final = 1  # another worker is about to finish the same job
_LAST_JOBS_S: Final = 5.0  # to finish at shutdown; then jobs are released
_AGAIN_S: Final = _LAST_JOBS_S + 1  # so that a job that is about to finish is not cut off
_PAUSE_S: Final = 1.0

_log = structlog.get_logger("redcore_server.worker")

Task = Callable[..., Awaitable[None]]


class Backoff(procrastinate.BaseRetryStrategy):
    """Wait 1, 2, 4 … 300 s between attempts, while the job still has work to do.

    A kill counts as an attempt. A job that was killed often and finds its own last statement still running does not
    wait for minutes.
    """

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> procrastinate.RetryDecision | None:
        """Return when to retry; None for a mail that was permanently refused."""
        if isinstance(exception, MailRefused):
            return None
        if isinstance(exception, BusyElsewhere):
            return procrastinate.RetryDecision(retry_in={"seconds": _BUSY_S})
        seconds = min(2**job.attempts, _LONGEST_WAIT_S)
        return procrastinate.RetryDecision(retry_in={"seconds": seconds})


@attrs.frozen
class Worker:
    """Runs the jobs of one queue of a database until cancelled; the queues are independent.

    Attributes:
        postgres: PostgreSQL with the jobs.
        tasks: Handlers by job name.
        queue: `URGENT` or `RUNS` of `redcore_server.store.jobs`.
        periodic: Schedules of periodic jobs, as cron lines in UTC; they are called with the time.
    """

    postgres: AsyncPool
    tasks: Mapping[str, Task]
    queue: str = URGENT
    periodic: Mapping[str, str] = attrs.field(factory=dict[str, str])

    async def run(self) -> None:
        """Run jobs and recover abandoned ones; wait while the database is unavailable."""
        app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        for name, task in self.tasks.items():
            made = app.task(name=name, retry=Backoff(), pass_context=False)(_with_request_id(task))
            if name in self.periodic:
                app.periodic(cron=self.periodic[name])(made)
        async with app.open_async(self.postgres), asyncio.TaskGroup() as tasks:
            tasks.create_task(persist(lambda: _work(app, self.queue)))
            tasks.create_task(persist(lambda: _recover(app, self.queue)))


def _with_request_id(task: Task) -> Task:
    """Return a task whose log lines, and the jobs it creates, have the id of the request that caused it."""

    async def run(request_id: str | None = None, **arguments: Any) -> None:  # None for a periodic job
        with bound_contextvars(**{REQUEST_ID: request_id}):
            await task(**arguments)

    return run


async def _work(app: procrastinate.App, queue: str) -> None:
    await app.run_worker_async(
        queues=[queue],
        concurrency=_CONCURRENCY,
        install_signal_handlers=False,  # the server stops the worker by cancellation
        fetch_job_polling_interval=_POLL_S,
        update_heartbeat_interval=_HEARTBEAT_S,
        stalled_worker_timeout=_DEAD_AFTER_S,
        shutdown_graceful_timeout=_LAST_JOBS_S,
        delete_jobs=jobs.DeleteJobCondition.SUCCESSFUL,
    )


async def _recover(app: procrastinate.App, queue: str) -> None:
    """Release the jobs of dead workers, then wait for the next heartbeats."""
    await app.job_manager.prune_stalled_workers(_DEAD_AFTER_S)
    for job in await app.job_manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=_DEAD_AFTER_S):
        _log.warning("job_recovered", job_id=job.id, task=job.task_name)
        await app.job_manager.retry_job(job)


async def persist(step: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Repeat a step forever, even while the database is unavailable.

    Args:
        step: Step to repeat; its errors are logged.
    """
    while True:
        work = asyncio.create_task(step())
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            await end(work, again_s=_AGAIN_S)
            raise
        if error := work.exception():
            _log.warning("worker_interrupted", exc_info=error)
        await asyncio.sleep(_PAUSE_S)
