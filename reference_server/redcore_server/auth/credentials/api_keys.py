"""API keys: created once, shown once, looked up by their digest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from redcore_server.auth.credentials.principal import Principal
from redcore_server.auth.people.role import effective
from redcore_server.auth.secret import digest, new_secret
from redcore_server.errors import InvalidToken, TokenExpired
from redcore_server.ids import new_id
from redcore_server.store.postgres import AsyncPool, AsyncPostgres, Lent, queries

PREFIX: Final = "rk_"
_QUERIES: Final = queries("api_keys")
_HINT_LENGTH: Final = 4  # of a key in a list: enough to tell keys apart, too little to help to guess one


async def create_api_key(
    connection: AsyncPostgres,
    *,
    organisation_id: str,
    owner_id: str,
    name: str,
    scopes: Sequence[str],
    mode: Literal["live", "test"],
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[dict[str, Any], str]:
    """Create a key in the caller's transaction.

    Args:
        organisation_id: Id of the owning organisation.
        owner_id: The user returned by `/v1/me`.
        name: Human-readable name.
        scopes: Scopes it grants.
        mode: Mode, visible in the key itself.
        now: Current time.
        expires_at: Expiry; None for never.

    Returns:
        The row without the digest, and the key, which cannot be shown again.
    """
    key = new_secret(f"{PREFIX}{mode}_")
    row = {
        "id": new_id("key"),
        "organisation_id": organisation_id,
        "owner_id": owner_id,
        "name": name,
        "hash": digest(key),
        "hint": key[-_HINT_LENGTH:],
        "mode": mode,
        "scopes": list(scopes),
        "created_at": now,
        "expires_at": expires_at,
    }
    cursor = await connection.execute(_QUERIES["add"], row)
    return await cursor.fetchone() or {}, key


async def verify_api_key(pool: AsyncPool, key: str, now: datetime, supported: frozenset[str]) -> Principal:
    """Return the principal of a key with its current scopes.

    Key and owner are read every time, so that a revocation or a demotion takes effect immediately.

    Args:
        pool: Connection pool for reads.
        key: The presented key.
        now: Current time of the server's clock.
        supported: All supported scopes.

    Raises:
        InvalidToken: The key is unknown or revoked, or its owner is gone or inactive.
        TokenExpired: The key has expired.
    """
    async with Lent(pool) as connection:
        cursor = await connection.execute(_QUERIES["by_hash"], {"hash": digest(key)})
        row = await cursor.fetchone()
    if row is None:
        raise InvalidToken("The API key is not valid.")
    if row["expires_at"] is not None and row["expires_at"] <= now:
        raise TokenExpired("The API key has expired.")
    return Principal(
        kind="api_key",
        credential_id=row["id"],
        organisation_id=row["organisation_id"],
        owner_id=row["owner_id"],
        client_id=None,
        scopes=effective(row["scopes"], row["owner_role"], supported),
        plan=row["plan"],
        expires_at=None if row["expires_at"] is None else row["expires_at"].timestamp(),
    )
