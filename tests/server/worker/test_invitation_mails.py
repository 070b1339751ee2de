"""The mail of an invitation: what is in it, and when it is sent, once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from procrastinate.jobs import Job
from tests.server.support.callers import execute
from tests.server.support.postbox import Postbox, invite, user
from tests.server.support.processes import LIMIT_S

from redcore_server.clock import Clock
from redcore_server.invitations.link import invitation_token
from redcore_server.mail.mailer import MailRefused, MailUnavailable
from redcore_server.store import Stores
from redcore_server.worker.invitations import BeingSentElsewhere, InvitationSender
from redcore_server.worker.runner import Backoff

pytestmark = pytest.mark.anyio


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


async def waiting(stores: Stores) -> bool:
    """Return whether a transaction waits for another."""
    async with stores.postgres.connection() as connection:
        cursor = await connection.execute("select 1 from pg_locks where not granted")
        return await cursor.fetchone() is not None


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


def test_refused_mail_is_given_up() -> None:
    """A mail that will never be accepted is not retried."""
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="t", task_kwargs={})

    assert Backoff().get_retry_decision(exception=MailRefused("no such user"), job=job) is None
