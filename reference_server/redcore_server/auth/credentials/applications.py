"""OAuth clients, called applications: their registration, and their authentication at the token endpoint."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from redcore_server.auth.credentials.redirect_uris import is_registered
from redcore_server.auth.people.role import Role, effective
from redcore_server.auth.secret import digest, matches, new_secret
from redcore_server.ids import new_id
from redcore_server.store.batch import Batch
from redcore_server.store.postgres import AsyncPool, AsyncPostgres, Lent, queries

_QUERIES: Final = queries("applications")
_NO_CLIENT: Final = bytes(32)  # the digest of the empty string, so that an unknown client costs the same comparison


@attrs.frozen(kw_only=True)
class Application:
    """A client whose owner is active.

    Attributes:
        scopes: Scopes it may request, limited to the current role of its owner.
        redirect_uris: Allowed redirect URIs.
        is_public: Whether it has no secret, so its id proves nothing.
    """

    id: str
    organisation_id: str
    owner_id: str
    plan: str
    name: str
    scopes: frozenset[str]
    redirect_uris: tuple[str, ...]
    is_public: bool

    # Called by Authlib at the authorization endpoint and for a code.

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Return whether the redirect URI is allowed."""
        return is_registered(redirect_uri, self.redirect_uris)

    def get_default_redirect_uri(self) -> str | None:
        """Return the only registered redirect URI; with several, a request must name one (RFC 6749 section 3.1.2.3)."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def check_response_type(self, response_type: str) -> bool:
        """Return whether the response type is allowed; Authlib has already found a grant for it."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether it may use a grant; each grant decides itself."""
        return bool(grant_type)

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return the scope, which the grant has already narrowed."""
        return scope or ""


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
        organisation_id: Id of the owning organisation.
        owner_id: The user for whom it acts without a sign-in.
        name: Human-readable name.
        scopes: Scopes it may request.
        redirect_uris: Allowed redirect URIs.
        secret: From `new_client_secret`, stored as its digest; None for a public client.
        now: Current time.

    Returns:
        The application as the API returns it.
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
    """Return a new client secret."""
    return new_secret("rcs_")


class Applications:
    """The registered applications."""

    def __init__(self, pool: AsyncPool, supported: frozenset[str]) -> None:
        """Create the lookup; it runs no query.

        Args:
            pool: Connection pool for reads.
            supported: All scopes there are.
        """
        self._pool = pool
        self._supported = supported
        self._rows = Batch(self._read)
        self._standings = Batch(self._read_standings)

    async def authenticate(self, client_id: str, secret: str | None, now: datetime) -> Application | None:
        """Return the application if the secret is valid; after a rotation the previous secret stays valid for a while.

        Args:
            client_id: The presented client id.
            secret: The presented secret; a public application has none and accepts none.
            now: Current time of the server's clock.
        """
        row = await self._row(client_id)
        is_own = _is_own(secret or "", row, now)
        is_public = row is not None and row["secret_hash"] is None and secret is None
        return self._application(row) if row and (is_own or is_public) else None

    async def find(self, client_id: str) -> Application | None:
        """Return an unauthenticated application, if its owner is active.

        Args:
            client_id: The presented client id.
        """
        row = await self._row(client_id)
        return self._application(row) if row else None

    async def granted(self, scopes: Collection[str], *, client_id: str, owner_id: str) -> frozenset[str] | None:
        """Return the effective scopes of a grant, limited to the roles of the owners of application and grant.

        Read each time, so that a demotion takes effect immediately on every node.

        Args:
            scopes: Scopes of the grant or of one of its tokens.
            client_id: The application.
            owner_id: The user for whom it acts.

        Returns:
            The remaining scopes; None if the application or one of the two users is gone or inactive.
        """
        roles = await self._standings.answer((client_id, owner_id))
        if roles is None:
            return None
        for role in roles:
            scopes = effective(scopes, role, self._supported)
        return frozenset(scopes)

    async def _row(self, client_id: str) -> dict[str, Any] | None:
        if "\0" in client_id:  # PostgreSQL's text cannot hold it
            return None
        return await self._rows.answer(client_id)

    async def _read(self, client_ids: Sequence[str]) -> list[dict[str, Any] | None]:
        async with Lent(self._pool) as connection:
            cursor = await connection.execute(_QUERIES["usable"], {"ids": list(client_ids)})
            rows = {row["id"]: row for row in await cursor.fetchall()}
        return [rows.get(client_id) for client_id in client_ids]

    async def _read_standings(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[Role, Role] | None]:
        different = list(dict.fromkeys(pairs))  # a program's concurrent requests mostly carry one token
        client_ids, owner_ids = map(list, zip(*different, strict=True))
        async with Lent(self._pool) as connection:
            cursor = await connection.execute(_QUERIES["standings"], {"client_ids": client_ids, "owner_ids": owner_ids})
            rows = await cursor.fetchall()
        found: dict[tuple[str, str], tuple[Role, Role]] = {
            different[row["number"] - 1]: (row["client_role"], row["owner_role"]) for row in rows
        }
        return [found.get(pair) for pair in pairs]

    def _application(self, row: Mapping[str, Any]) -> Application:
        return Application(
            id=row["id"],
            organisation_id=row["organisation_id"],
            owner_id=row["owner_id"],
            plan=row["plan"],
            name=row["name"],
            scopes=effective(row["scopes"], row["owner_role"], self._supported),
            redirect_uris=tuple(row["redirect_uris"]),
            is_public=row["secret_hash"] is None,
        )


def _is_own(secret: str, row: Mapping[str, Any] | None, now: datetime) -> bool:
    if row is None or row["secret_hash"] is None:
        return matches(secret, _NO_CLIENT)
    if matches(secret, row["secret_hash"]):
        return True
    end = row["previous_secret_ends_at"]
    return end is not None and now < end and matches(secret, row["previous_secret_hash"])
