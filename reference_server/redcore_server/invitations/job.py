"""Invitations as shared by all services: their lifetime, and the job that mails one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from redcore_server.store.jobs import defer, defer_each
from redcore_server.store.postgres import AsyncPostgres

INVITATION_LIFETIME: Final = timedelta(hours=48)
"""Lifetime of an invitation's link."""

TASK: Final = "send_invitation"
_PATIENT: Final = -1


async def defer_invitation(connection: AsyncPostgres, *, invitation_id: str) -> None:
    """Schedule the mail of an invitation, if and only if the caller's transaction commits.

    Args:
        connection: Connection with an open transaction, in which the invitation was written.
        invitation_id: Invitation id, `inv_…`.
    """
    await defer(connection, TASK, invitation_id=invitation_id)


async def defer_invitations(connection: AsyncPostgres, invitation_ids: Iterable[str]) -> None:
    """Schedule many mails at low priority, so that an import does not delay other jobs.

    Args:
        connection: Connection with an open transaction, in which they were written.
        invitation_ids: Invitation ids, `inv_…`.
    """
    arguments = ({"invitation_id": invitation_id} for invitation_id in invitation_ids)
    await defer_each(connection, TASK, arguments, priority=_PATIENT)
