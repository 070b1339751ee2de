"""OAuth clients, called applications: their registration, and their authentication at the token endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from redcore_server.auth.secret import digest, matches, new_secret
from redcore_server.clock import Clock
from redcore_server.ids import new_id
from redcore_server.store.postgres import AsyncPostgres, Pool, queries

_QUERIES: Final = queries("applications")
_NO_CLIENT: Final = bytes(32)  # the digest of nothing: an unknown client costs the same comparison


@attrs.frozen(kw_only=True)
class Application:
    """A confidential client whose owner is active."""

    id: str
    organisation_id: str
    owner_id: str
    plan: str
    scopes: frozenset[str]


async def create_application(
    connection: AsyncPostgres,
    *,
    organisation_id: str,
    owner_id: str,
    name: str,
    scopes: Sequence[str],
    redirect_uris: Sequence[str] = (),
    clock: Clock,
) -> tuple[dict[str, Any], str]:
    """Register an application in the caller's transaction.

    Args:
        connection: to write with.
        organisation_id: to which it belongs.
        owner_id: the user for whom it acts when nobody signs in.
        name: for people.
        scopes: all it may ask for.
        redirect_uris: where it may send people back to.
        clock: dates it.

    Returns:
        The row without the secret's digest, and the secret, which nothing can show again.
    """
    secret = new_secret("rcs_")
    row = {
        "id": new_id("app"),
        "organisation_id": organisation_id,
        "owner_id": owner_id,
        "name": name,
        "secret_hash": digest(secret),
        "scopes": list(scopes),
        "redirect_uris": list(redirect_uris),
        "created_at": clock.now(),
    }
    cursor = await connection.execute(_QUERIES["add"], row)
    return await cursor.fetchone() or {}, secret


class Applications:
    """The registered applications, for the threads of the auth service."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def authenticate(self, client_id: str, secret: str) -> Application | None:
        """Return the application if the secret is its own.

        Args:
            client_id: as presented.
            secret: as presented.
        """
        row = self._row(client_id)
        if not matches(secret, row["secret_hash"] if row else _NO_CLIENT) or row is None:
            return None
        return Application(
            id=row["id"],
            organisation_id=row["organisation_id"],
            owner_id=row["owner_id"],
            plan=row["plan"],
            scopes=frozenset(row["scopes"]),
        )

    def is_usable(self, client_id: str) -> bool:
        """Tell whether it still exists and its owner is active.

        Args:
            client_id: of an application.
        """
        return self._row(client_id) is not None

    def _row(self, client_id: str) -> dict[str, Any] | None:
        if "\0" in client_id:  # PostgreSQL's text cannot hold it
            return None
        with self._pool.connection() as connection:
            return connection.execute(_QUERIES["usable"], {"id": client_id}).fetchone()
