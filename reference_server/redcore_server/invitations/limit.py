"""How often one address is invited: five times in an hour and ten times in a day, in each organisation.

What counts is the address, however the invitation comes about; so nobody is flooded by way of a user that is made and
deleted again and again. Imports count in the same table by statements of their own (`user_import.sql`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from redcore_server.errors import RuleViolation
from redcore_server.store.postgres import AsyncPostgres, queries

_QUERIES: Final = queries("invitation_limit")


async def spend_invitation(connection: AsyncPostgres, *, organisation_id: str, email_key: str, now: datetime) -> None:
    """Count one invitation to an address.

    Args:
        connection: With an open transaction that holds the user of that address.
        organisation_id: That invites.
        email_key: Of the address.
        now: Current time of the server's clock.

    Raises:
        RuleViolation: The address was invited too often; the message says when it may be tried again.
    """
    parameters = {"organisation_id": organisation_id, "email_key": email_key, "now": now}
    row = await (await connection.execute(_QUERIES["again"], parameters)).fetchone()
    if row is not None and row["again"] is not None:
        raise RuleViolation(too_often(row["again"]))
    await connection.execute(_QUERIES["count"], parameters)


def too_often(again: datetime) -> str:
    """Say when an address may be invited again.

    Args:
        again: That moment.
    """
    moment = again.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"This address was invited too often; it may be invited again after {moment}."
