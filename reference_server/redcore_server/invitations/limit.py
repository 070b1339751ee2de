"""Limits invitations to one address: five per hour and ten per day, in each organisation.

Counted per address, whatever causes the invitation, so that repeatedly creating and deleting a user cannot flood it.
Imports count in the same table with their own statements (`user_import.sql`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from redcore_server.errors import RuleViolation
from redcore_server.invitations.job import MOST_RECENT
from redcore_server.store.postgres import AsyncPostgres, queries

_QUERIES: Final = queries("invitation_limit")


async def spend_invitation(connection: AsyncPostgres, *, organisation_id: str, email_key: str, now: datetime) -> int:
    """Count one invitation to an address, and return how many the organisation has sent within the minute before.

    Args:
        connection: Connection with an open transaction that contains the user of that address.
        organisation_id: Id of the inviting organisation.
        email_key: Normalised form of the address.
        now: Current time of the server's clock.

    Raises:
        RuleViolation: The address was invited too often; the message says when to retry.
    """
    parameters = {"organisation_id": organisation_id, "email_key": email_key, "now": now, "most": MOST_RECENT}
    row = await (await connection.execute(_QUERIES["again"], parameters)).fetchone()
    assert row is not None  # noqa: S101 - it selects from no table
    if row["again"] is not None:
        raise RuleViolation(too_often(row["again"]))
    await connection.execute(_QUERIES["count"], parameters)
    return int(row["recent"])


def too_often(again: datetime) -> str:
    """Return the message that says when an address may be invited again.

    Args:
        again: Time of the next allowed invitation.
    """
    moment = again.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"This address was invited too often; it may be invited again after {moment}."
