"""Records used assertions in PostgreSQL, so that each is accepted only once across all nodes (ADR 74)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from redcore_server.auth.saml.conditions import LEEWAY_S, MAX_LIFETIME_S
from redcore_server.store.postgres import AsyncPostgres, queries

# Longer than any assertion is accepted, plus a day for a clock that the lab may have moved.
_KEPT: Final = timedelta(seconds=MAX_LIFETIME_S + LEEWAY_S + 24 * 3600)
_QUERIES: Final = queries("saml")


async def use_assertion(connection: AsyncPostgres, issuer: str, assertion_id: str, now: datetime) -> bool:
    """Consume an assertion if the transaction commits; of concurrent callers with the same one exactly one gets True.

    Args:
        connection: Connection with an open transaction.
        issuer: Issuer of the assertion; ids are unique per issuer.
        assertion_id: Id of an assertion that passed all other checks.
        now: Current time of the server's clock.
    """
    name = hashlib.sha256(f"{issuer}\0{assertion_id}".encode()).digest()
    cursor = await connection.execute(_QUERIES["use"], {"name": name, "now": now, "oldest": now - _KEPT})
    return await cursor.fetchone() is not None
