from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest
from procrastinate.jobs import Job
from structlog.contextvars import bound_contextvars, get_contextvars, merge_contextvars
from structlog.testing import capture_logs
from tests.server.support.callers import Callers, execute, rows
from tests.server.support.processes import LIMIT_S, until
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.clock import Clock
from redcore_server.ids import new_id
from redcore_server.invitations.job import TASK, defer_invitation, defer_invitations
from redcore_server.invitations.link import invitation_token
from redcore_server.mail.mailer import Mail, MailRefused, MailUnavailable
from redcore_server.store import Stores
from redcore_server.store.jobs import defer, defer_each
from redcore_server.worker import Worker
from redcore_server.worker.invitations import BeingSentElsewhere, InvitationSender
from redcore_server.worker.runner import Backoff

pytestmark = pytest.mark.anyio


@attrs.define
class Postbox:
    """A mailer that keeps its mail, after failing a given number of times."""

    failures: list[Exception] = attrs.field(factory=list)
    sent: list[Mail] = attrs.field(factory=list)
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)
    may_go_on: asyncio.Event | None = None

    async def send(self, mail: Mail) -> None:
        """Keep the mail or fail."""
        self.arrived.set()
        if self.may_go_on is not None:
            await self.may_go_on.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(mail)


@attrs.frozen
class Invited:
    """A user with an open invitation."""

    user_id: str
    invitation_id: str
    expires_at: datetime


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def no_jobs_of_others(stores: Stores) -> None:
    """Delete the jobs of other tests: this worker would do them first."""
    async with stores.postgres.connection() as connection:
        await connection.execute("delete from procrastinate_jobs")


@pytest.fixture
def sender(stores: Stores, clock: Clock, postbox: Postbox, no_jobs_of_others: None) -> InvitationSender:
    return InvitationSender(
        stores=stores, mailer=postbox, clock=clock, origin="https://x.example", sender="us@x.example"
    )


@pytest.fixture
async def worker(stores: Stores, sender: InvitationSender) -> AsyncIterator[Worker]:
    running = Worker(stores.postgres, {TASK: sender.send})
    task = asyncio.create_task(running.run())
    yield running
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def invite(stores: Stores, clock: Clock, organisation: Any, *, status: str = "pending_invite") -> Invited:
    """Write a user and an invitation, as the API does, but no job."""
    invited = Invited(new_id("usr"), new_id("inv"), clock.now() + timedelta(hours=48))
    values = {
        "organisation": organisation.id,
        "usr": invited.user_id,
        "email": f"{invited.user_id}@example.com",
        "inv": invited.invitation_id,
        "expires_at": invited.expires_at,
        "status": status,
        "now": clock.now(),
    }
    await execute(
        stores,
        """insert into users (id, organisation_id, email, email_key, name, role, status, created_at, updated_at)
           values (%(usr)s, %(organisation)s, %(email)s, %(email)s, 'Ann <i>', 'viewer', %(status)s, %(now)s, %(now)s)
        """,
        values,
    )
    await execute(
        stores,
        """insert into invitations (id, user_id, created_at, expires_at)
           values (%(inv)s, %(usr)s, %(now)s, %(expires_at)s)""",
        values,
    )
    return invited


async def user(stores: Stores, user_id: str) -> dict[str, Any]:
    async with stores.postgres.connection() as connection:
        cursor = await connection.execute("select * from users where id = %s", (user_id,))
        return await cursor.fetchone() or {}


def test_link_token() -> None:
    """A link's token is `id.expiry.signature`, the signature HMAC-SHA256 of the rest."""
    expires_at = datetime(2026, 1, 2, tzinfo=UTC)

    token = invitation_token("inv_1", expires_at=expires_at, secret="key")

    signature = hmac.digest(b"key", b"inv_1.1767312000", hashlib.sha256)
    assert token == "inv_1.1767312000." + base64.urlsafe_b64encode(signature).decode().rstrip("=")


async def test_send(
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox
) -> None:
    """The mail greets the person, has the link in both forms, and is recorded on the user."""
    invited = await invite(stores, clock, organisation, status="inactive")

    await sender.send(invited.invitation_id)

    (mail,) = postbox.sent
    assert (mail.id, mail.to, mail.sender) == (
        invited.invitation_id,
        f"{invited.user_id}@example.com",
        "us@x.example",
    )
    assert mail.subject == "Your invitation to Test on BlueRound"
    link = f"https://x.example/oauth/invitations/{invited.invitation_id}.{int(invited.expires_at.timestamp())}."
    assert link in mail.text
    assert link in mail.html
    assert "Hello Ann <i>," in mail.text
    assert "Hello Ann &lt;i&gt;," in mail.html
    after = await user(stores, invited.user_id)
    assert after["status"] == "pending_invite"
    assert after["invitation_sent_at"] is not None


async def test_sent_once(
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox
) -> None:
    """The second run of the job sends nothing."""
    invited = await invite(stores, clock, organisation)

    await sender.send(invited.invitation_id)
    await sender.send(invited.invitation_id)

    assert len(postbox.sent) == 1


@pytest.mark.parametrize("end", ["set voided_at = created_at", "set accepted_at = created_at"])
async def test_not_sent_any_more(  # noqa: PLR0917 - fixtures
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox, end: str
) -> None:
    """A voided or accepted invitation is not sent."""
    invited = await invite(stores, clock, organisation)
    await execute(stores, f"update invitations {end} where id = %s", (invited.invitation_id,))

    await sender.send(invited.invitation_id)

    assert postbox.sent == []


async def test_not_sent_when_expired(
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox
) -> None:
    """A link that would be dead on arrival is not sent; the server's clock decides."""
    invited = await invite(stores, clock, organisation)
    clock.advance(48 * 3600)

    await sender.send(invited.invitation_id)

    assert postbox.sent == []


async def test_not_sent_to_deleted_user(
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox
) -> None:
    """A user who was deleted before the mail was sent gets none."""
    invited = await invite(stores, clock, organisation)
    await execute(stores, "delete from users where id = %s", (invited.user_id,))

    await sender.send(invited.invitation_id)

    assert postbox.sent == []


async def test_failure_is_not_recorded(
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox
) -> None:
    """A mail that was not delivered leaves the user as it was."""
    postbox.failures = [MailUnavailable("away")]
    invited = await invite(stores, clock, organisation)

    with pytest.raises(MailUnavailable):
        await sender.send(invited.invitation_id)

    assert (await user(stores, invited.user_id))["invitation_sent_at"] is None


async def test_two_workers_at_once(
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox
) -> None:
    """While one worker sends the mail another leaves it alone, and the user can still be deleted."""
    invited = await invite(stores, clock, organisation)
    postbox.may_go_on = asyncio.Event()
    first = asyncio.create_task(sender.send(invited.invitation_id))
    await postbox.arrived.wait()

    with pytest.raises(BeingSentElsewhere):
        await sender.send(invited.invitation_id)
    await execute(stores, "delete from users where id = %s", (invited.user_id,))
    postbox.may_go_on.set()
    await first

    assert len(postbox.sent) == 1


async def test_a_concurrent_resend_does_not_deadlock(
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox
) -> None:
    """Resending locks the user, then the invitation; sending does it in the same order, or each waits for the other."""
    invited = await invite(stores, clock, organisation)

    async with stores.postgres.connection() as connection, connection.transaction():
        await connection.execute("select 1 from users where id = %s for update", (invited.user_id,))
        sending = asyncio.create_task(sender.send(invited.invitation_id))
        async with asyncio.timeout(LIMIT_S):
            while not await waiting(stores):
                pass  # the query takes a moment: the other task continues meanwhile
        await connection.execute("update invitations set voided_at = now() where id = %s", (invited.invitation_id,))
    await sending

    assert len(postbox.sent) == 1
    assert (await user(stores, invited.user_id))["invitation_sent_at"] is not None


@pytest.mark.parametrize("status", ["inactive", "pending_invite"])
async def test_a_delayed_mail_does_not_reactivate_a_user(  # noqa: PLR0917 - fixtures
    stores: Stores, clock: Clock, organisation: Any, sender: InvitationSender, postbox: Postbox, status: str
) -> None:
    """A user who was made inactive meanwhile stays so: only a valid invitation makes one pending."""
    invited = await invite(stores, clock, organisation)
    postbox.may_go_on = asyncio.Event()
    sending = asyncio.create_task(sender.send(invited.invitation_id))
    await postbox.arrived.wait()

    await execute(stores, "update users set status = %s where id = %s", (status, invited.user_id))
    await execute(stores, "update invitations set voided_at = now() where id = %s", (invited.invitation_id,))
    postbox.may_go_on.set()
    await sending

    assert (await user(stores, invited.user_id))["status"] == status


async def waiting(stores: Stores) -> bool:
    """Return whether a transaction waits for another."""
    async with stores.postgres.connection() as connection:
        cursor = await connection.execute("select 1 from pg_locks where not granted")
        return await cursor.fetchone() is not None


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


def test_refused_mail_is_given_up() -> None:
    """A mail that will never be accepted is not retried."""
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="t", task_kwargs={})

    assert Backoff().get_retry_decision(exception=MailRefused("no such user"), job=job) is None
