"""An invitation as the API writes it, and a mailer that keeps its mails."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import attrs
from tests.server.support.callers import execute

from redcore_server.clock import Clock
from redcore_server.ids import new_id
from redcore_server.mail.mailer import Mail
from redcore_server.store import Stores


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
    """Return the row of a user; empty if there is none."""
    async with stores.postgres.connection() as connection:
        cursor = await connection.execute("select * from users where id = %s", (user_id,))
        return await cursor.fetchone() or {}
