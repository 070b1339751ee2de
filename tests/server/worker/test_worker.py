"""Jobs: in which order they run, how often, and what causes them."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from procrastinate.jobs import Job
from structlog.contextvars import bound_contextvars, get_contextvars, merge_contextvars
from structlog.testing import capture_logs
from tests.server.support.callers import Callers, rows
from tests.server.support.postbox import Postbox, invite
from tests.server.support.processes import LIMIT_S, until
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.clock import Clock
from redcore_server.invitations.job import TASK, defer_invitation, defer_invitations
from redcore_server.mail.mailer import MailUnavailable
from redcore_server.store import Stores
from redcore_server.store.jobs import defer, defer_each
from redcore_server.worker import Worker
from redcore_server.worker.invitations import BeingSentElsewhere, InvitationSender
from redcore_server.worker.runner import Backoff

pytestmark = pytest.mark.anyio


async def test_job_of_the_transaction(
    stores: Stores, clock: Clock, organisation: Any, worker: Worker, postbox: Postbox
) -> None:
    """The job runs if its transaction commits and never if it does not."""
    undone = await invite(stores, clock, organisation)
    done = await invite(stores, clock, organisation)

    with contextlib.suppress(LookupError):
        async with stores.postgres.connection() as connection, connection.transaction():
            await defer_invitation(connection, invitation_id=undone.invitation_id, recent=0)
            raise LookupError
    async with stores.postgres.connection() as connection, connection.transaction():
        await defer_invitation(connection, invitation_id=done.invitation_id, recent=0)
    await until(lambda: postbox.sent)

    assert [mail.id for mail in postbox.sent] == [done.invitation_id]


async def test_mails_of_an_import_wait_for_everything_else(
    stores: Stores, clock: Clock, organisation: Any, no_jobs_of_others: None
) -> None:
    """However many there are, a single invitation waits for none of them."""
    many, one = [await invite(stores, clock, organisation) for _ in range(2)]
    async with stores.postgres.connection() as connection, connection.transaction():
        await defer_invitations(connection, [many.invitation_id])
        await defer_invitation(connection, invitation_id=one.invitation_id, recent=0)

    queued = await rows(stores, "select args from procrastinate_jobs where status = 'todo' order by priority desc, id")

    ids = [job["args"]["invitation_id"] for job in queued if "invitation_id" in job["args"]]
    assert ids.index(one.invitation_id) < ids.index(many.invitation_id)


async def test_invitations_of_organisations_take_turns(
    callers: Callers, organisation: Organisation, stores: Stores, clock: Clock, no_jobs_of_others: None
) -> None:
    """The first of one organisation waits for the first of another at most, however many of that one are queued."""
    busy, other = await callers.of(organisation), await callers.of(await make_organisation(stores, clock))
    for number in range(3):
        await busy.post("/v1/users", json={"email": f"{number}@busy.example", "name": "A"})
    await other.post("/v1/users", json={"email": "0@other.example", "name": "A"})

    queued = await rows(
        stores,
        """select email from procrastinate_jobs jobs
           join invitations on invitations.id = jobs.args ->> 'invitation_id' join users on users.id = user_id
           where jobs.status = 'todo' order by priority desc, jobs.id""",
    )

    assert [job["email"] for job in queued] == ["0@busy.example", "0@other.example", "1@busy.example", "2@busy.example"]


async def test_a_job_logs_the_request_that_caused_it(
    caller: httpx.AsyncClient, worker: Worker, postbox: Postbox
) -> None:
    """The lines of the worker have the id of the request, so that one id finds them all."""
    request_id = "0b5c7b5e-3d0c-4f3f-9a55-2f0d8a7f1c11"
    user = {"email": "ann@example.com", "name": "Ann", "role": "viewer"}
    with capture_logs([merge_contextvars]) as lines:
        created = await caller.post("/v1/users", json=user, headers={"X-Request-ID": request_id})
        await until(lambda: [line for line in lines if line["event"] == "invitation_sent"])

    assert created.status_code == 201
    assert {line["event"]: line.get("request_id") for line in lines} == {
        "request": request_id,
        "invitation_sent": request_id,
    }


async def test_a_job_of_a_job_keeps_the_cause(stores: Stores, no_jobs_of_others: None) -> None:
    """A job that a job enqueues belongs to the same request, one or many."""
    ids: list[object] = []
    done = asyncio.Event()

    async def last() -> None:
        ids.append(get_contextvars()["request_id"])
        if len(ids) == 3:
            done.set()

    async def first() -> None:
        async with stores.postgres.connection() as connection, connection.transaction():
            await defer(connection, "last")
            await defer_each(connection, "last", [{}, {}])

    task = asyncio.create_task(Worker(stores.postgres, {"first": first, "last": last}).run())
    with bound_contextvars(request_id="cause"):
        async with stores.postgres.connection() as connection, connection.transaction():
            await defer(connection, "first")
    async with asyncio.timeout(LIMIT_S):
        await done.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert ids == ["cause"] * 3


async def test_failed_job_is_retried(
    stores: Stores, clock: Clock, organisation: Any, worker: Worker, postbox: Postbox
) -> None:
    """A mailer that is down for a moment delays the mail."""
    postbox.failures = [MailUnavailable("away")]
    invited = await invite(stores, clock, organisation)

    async with stores.postgres.connection() as connection, connection.transaction():
        await defer_invitation(connection, invitation_id=invited.invitation_id, recent=0)
    await until(lambda: postbox.sent)

    assert [mail.id for mail in postbox.sent] == [invited.invitation_id]


async def test_job_of_dead_worker(
    stores: Stores, clock: Clock, organisation: Any, postbox: Postbox, sender: InvitationSender
) -> None:
    """A job that a dead worker had started is run again."""
    invited = await invite(stores, clock, organisation)
    async with stores.postgres.connection() as connection, connection.transaction():
        await defer_invitation(connection, invitation_id=invited.invitation_id, recent=0)
        # The traces of a worker that was killed a minute ago during the job.
        await connection.execute(
            """with dead as (insert into procrastinate_workers (last_heartbeat)
                             values (now() - interval '1 minute') returning id)
               update procrastinate_jobs set status = 'doing', worker_id = dead.id from dead
               where args ->> 'invitation_id' = %s""",
            (invited.invitation_id,),
        )

    task = asyncio.create_task(Worker(stores.postgres, {TASK: sender.send}).run())
    await until(lambda: postbox.sent)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert [mail.id for mail in postbox.sent] == [invited.invitation_id]


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (5000, 300)])
def test_backoff_of_retries(attempts: int, seconds: int) -> None:
    """The wait doubles from 1 s to 300 s and stays there."""
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="t", attempts=attempts, task_kwargs={})

    before = datetime.now(UTC)
    decision = Backoff().get_retry_decision(exception=MailUnavailable("away"), job=job)

    assert decision is not None
    assert decision.retry_at is not None
    assert round((decision.retry_at - before).total_seconds()) == seconds


def test_a_job_of_another_worker_is_checked_again_soon() -> None:
    """However often the job was killed: that was not a failure."""
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="t", attempts=20, task_kwargs={})

    before = datetime.now(UTC)
    decision = Backoff().get_retry_decision(exception=BeingSentElsewhere("inv_1"), job=job)

    assert decision is not None
    assert decision.retry_at is not None
    assert round((decision.retry_at - before).total_seconds()) == 1
