"""OAuth clients, called applications: their registration, and their authentication at the token endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from redcore_server.auth.secret import digest, matches, new_secret
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
    secret: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Register an application in the caller's transaction.

    Args:
        connection: to write with.
        organisation_id: to which it belongs.
        owner_id: the user for whom it acts when nobody signs in.
        name: for people.
        scopes: all it may ask for.
        redirect_uris: where it may send people back to.
        secret: from `new_client_secret`, kept as its digest; None for a public client.
        now: dates it.

    Returns:
        What the API shows of it.
    """
    row = {
        "id": new_id("app"),
        "organisation_id": organisation_id,
        "owner_id": owner_id,
        "name": name,
        "secret_hash": None if secret is None else digest(secret),
        "scopes": list(scopes),
        "redirect_uris": list(redirect_uris),
        "created_at": now,
    }
    cursor = await connection.execute(_QUERIES["add"], row)
    return await cursor.fetchone() or {}


def new_client_secret() -> str:
    """Return a new secret for an application."""
    return new_secret("rcs_")


class Applications:
    """The registered applications, for the threads of the auth service."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def authenticate(self, client_id: str, secret: str, now: datetime) -> Application | None:
        """Return the application if the secret is its own; after a rotation the previous one is, for a while.

        Args:
            client_id: as presented.
            secret: as presented.
            now: by the server's clock.
        """
        row = self._row(client_id)
        if not _is_own(secret, row, now) or row is None:
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


def _is_own(secret: str, row: Mapping[str, Any] | None, now: datetime) -> bool:
    if row is None or row["secret_hash"] is None:
        return matches(secret, _NO_CLIENT)
    if matches(secret, row["secret_hash"]):
        return True
    end = row["previous_secret_ends_at"]
    return end is not None and now < end and matches(secret, row["previous_secret_hash"])
