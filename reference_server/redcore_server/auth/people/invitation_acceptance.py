"""Accepting an invitation: checking the link, and the one transaction that consumes it and activates the user."""

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
    """A TOTP secret that the person has proved to know."""

    secret: str = attrs.field(repr=False)
    step: int
    """Time step of the proving code, which is thereby used."""


@attrs.frozen
class Acceptance:
    """Invitations in PostgreSQL."""

    postgres: AsyncPool
    clock: Clock

    async def find(self, token: str) -> Invitation | None:
        """Return the invitation of a link, or None if it cannot be accepted.

        None if it is forged, expired, used or voided, the user is not pending, or the appointer could no longer grant
        the role.

        Args:
            token: Last segment of the link; may be any text.
        """
        async with self.postgres.connection() as connection:
            invitation_id = invitation_of(token, secret=await link_secret(connection))
            if invitation_id is None:
                return None
            values = {"id": invitation_id, "now": self.clock.now()}
            return await _open(connection, values)

    async def accept(self, invitation: Invitation, *, password_hash: str, factor: SecondFactor | None) -> bool:
        """Activate the user, exactly once even for concurrent requests; False if it was not the first or came too late.

        Args:
            invitation: Invitation returned by `find`.
            password_hash: Hash of the chosen password.
            factor: Second factor, if chosen.
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
