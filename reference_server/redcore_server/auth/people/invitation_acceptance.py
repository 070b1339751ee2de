"""Accepting an invitation: whose link it is, and the one transaction that uses it up and makes the user active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from redcore_server.auth.people.role import is_appointed
from redcore_server.clock import Clock
from redcore_server.invitations.link import invitation_of, link_secret
from redcore_server.store.postgres import AsyncPool, AsyncPostgres, queries

_QUERIES: Final = queries("acceptance")


@attrs.frozen(kw_only=True)
class Invitation:
    """An invitation that can be accepted now."""

    id: str
    user_id: str
    email: str
    name: str
    organisation: str


@attrs.frozen(kw_only=True)
class SecondFactor:
    """A secret that the person has shown to know."""

    secret: str = attrs.field(repr=False)
    step: int
    """The time step of the code that showed it; it is used up."""


@attrs.frozen
class Acceptance:
    """Invitations in PostgreSQL."""

    postgres: AsyncPool
    clock: Clock

    async def find(self, token: str) -> Invitation | None:
        """Return the invitation of a link, or None if it cannot be accepted.

        It is forged, expired, used or voided, the user is not waiting, or the role was given by a person who could not
        give it now.

        Args:
            token: The link's last part, of any content.
        """
        async with self.postgres.connection() as connection:
            invitation_id = invitation_of(token, secret=await link_secret(connection))
            if invitation_id is None:
                return None
            values = {"id": invitation_id, "now": self.clock.now()}
            return await _open(connection, values)

    async def accept(self, invitation: Invitation, *, password_hash: str, factor: SecondFactor | None) -> bool:
        """Make the user active, once, however many requests try; False if it was not the first or came too late.

        Args:
            invitation: That was found open.
            password_hash: Of the password the person chose.
            factor: The second one, if the person wants it.
        """
        values = {
            "id": invitation.id,
            "user_id": invitation.user_id,
            "now": self.clock.now(),
            "password_hash": password_hash,
            "totp_secret": factor and factor.secret,
            "totp_step": factor and factor.step,
        }
        async with self.postgres.connection() as connection, connection.transaction():
            await connection.execute(_QUERIES["lock_user"], values)
            if await _open(connection, values) is None:
                return False
            await connection.execute(_QUERIES["accept"], values)
        return True


async def _open(connection: AsyncPostgres, values: Mapping[str, Any]) -> Invitation | None:
    row = await (await connection.execute(_QUERIES["open"], values)).fetchone()
    if row is None or not is_appointed(row.pop("role"), row.pop("appointer_role")):
        return None
    return Invitation(**row)
