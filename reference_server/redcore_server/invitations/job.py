"""Invitations as all services know them: how long they live, and the job that mails one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from redcore_server.store.jobs import defer, defer_each
from redcore_server.store.postgres import AsyncPostgres

INVITATION_LIFETIME: Final = timedelta(hours=48)
"""How long the link of an invitation can be used."""

TASK: Final = "send_invitation"
_PATIENT: Final = -1


async def defer_invitation(connection: AsyncPostgres, *, invitation_id: str) -> None:
    """Have an invitation mailed once the caller's transaction is committed, and never if it is not.

    Args:
        connection: With an open transaction, in which the invitation was written.
        invitation_id: `inv_…`.
    """
    await defer(connection, TASK, invitation_id=invitation_id)


async def defer_invitations(connection: AsyncPostgres, invitation_ids: Iterable[str]) -> None:
    """Do the same for many, behind whatever else is to be done: nobody waits for the mails of somebody's import.

    Args:
        connection: With an open transaction, in which they were written.
        invitation_ids: `inv_…` each.
    """
    arguments = ({"invitation_id": invitation_id} for invitation_id in invitation_ids)
    await defer_each(connection, TASK, arguments, priority=_PATIENT)
