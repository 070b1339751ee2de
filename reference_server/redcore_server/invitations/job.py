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
MOST_RECENT: Final = 1000
"""How many invitations within a minute are counted; beyond that, an organisation's next ones are equal."""
_PATIENT: Final = -MOST_RECENT - 1


async def defer_invitation(connection: AsyncPostgres, *, invitation_id: str, recent: int) -> None:
    """Schedule the mail of an invitation, if and only if the caller's transaction commits.

    The hundredth invitation of one organisation within a minute waits for the first of another.

    Args:
        connection: Connection with an open transaction, in which the invitation was written.
        invitation_id: Invitation id, `inv_…`.
        recent: Number of invitations that the organisation has sent within the minute before.
    """
    await defer(connection, TASK, priority=-recent, invitation_id=invitation_id)


async def defer_invitations(connection: AsyncPostgres, invitation_ids: Iterable[str]) -> None:
    """Schedule many mails at low priority, so that an import does not delay other jobs.

    Args:
        connection: Connection with an open transaction, in which they were written.
        invitation_ids: Invitation ids, `inv_…`.
    """
    arguments = ({"invitation_id": invitation_id} for invitation_id in invitation_ids)
    await defer_each(connection, TASK, arguments, priority=_PATIENT)
