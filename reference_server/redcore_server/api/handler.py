"""What a handler is given and what it gives back; neither knows HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import attrs
from starlette.responses import Response

from redcore_server.auth.credentials.principal import Principal
from redcore_server.store.objects import Objects
from redcore_server.store.postgres import AsyncPostgres

Row = dict[str, Any]
Act = Callable[[], Awaitable[object]]


class DeferInvitation(Protocol):
    """Writes the job that mails an invitation."""

    async def __call__(self, connection: AsyncPostgres, *, invitation_id: str) -> None:
        """Write it in the connection's open transaction, so that it runs if and only if that commits."""


class DeferRevocation(Protocol):
    """Writes the job that ends the grants of who is removed."""

    async def __call__(
        self, connection: AsyncPostgres, *, user_id: str | None = None, client_ids: Iterable[str] = ()
    ) -> None:
        """Write it in the connection's open transaction, so that it runs if and only if that commits."""


class DeferObjectDeletion(Protocol):
    """Writes the job that deletes an object nobody refers to any more."""

    async def __call__(self, connection: AsyncPostgres, *, key: str) -> None:
        """Write it in the connection's open transaction, so that it runs if and only if that commits."""


class DeferRun(Protocol):
    """Writes the job that does a workflow's run."""

    async def __call__(
        self, connection: AsyncPostgres, *, run_id: str, organisation_id: str, lane: int, turn: int
    ) -> None:
        """Write it in the connection's open transaction, so that it runs if and only if that commits."""


@attrs.frozen(kw_only=True)
class Services:
    """What handlers need beside the database.

    Attributes:
        revoke_user: Ends all tokens and sessions of a user at once.
        revoke_client: Ends all tokens of an application at once.
        defer_invitation: See there.
        defer_revocation: See there.
        defer_object_deletion: See there.
        defer_run: See there.
        objects: The object store.
        storage_bytes: Storage quota of an organisation, in bytes.
        max_file_bytes: Size of the largest file.
        secret_overlap: How long a client secret stays valid after it was replaced.
    """

    revoke_user: Callable[[str], Awaitable[object]]
    revoke_client: Callable[[str], Awaitable[object]]
    defer_invitation: DeferInvitation
    defer_revocation: DeferRevocation
    defer_object_deletion: DeferObjectDeletion
    defer_run: DeferRun
    objects: Objects
    storage_bytes: int
    max_file_bytes: int
    secret_overlap: timedelta


@attrs.frozen(kw_only=True)
class Call:
    """One valid, authorised request.

    Attributes:
        principal: The authenticated caller.
        request_id: UUID of the request.
        now: The moment of the request; everything it does happens then.
        operation: The operationId.
        path: Path parameters.
        is_head: Whether the answer's body will be left out, so that it need not be read from anywhere.
        headers: All request headers, with lower-case names.
        query: Every query parameter of the operation; None where it is absent and has no default.
        body: The JSON body, checked; for an upload, itself as `upload`; empty for an operation without one.
        connection: To PostgreSQL; for anything but a GET with an open transaction, undone if the handler raises.
        services: Everything else.
        after_commit: What to do once the transaction has committed.
    """

    principal: Principal
    request_id: str
    now: datetime
    operation: str
    path: Mapping[str, str]
    is_head: bool
    headers: Mapping[bytes, bytes]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    connection: AsyncPostgres
    services: Services
    after_commit: list[Act] = attrs.field(factory=list[Act])

    async def one(self, sql: bytes, **parameters: Any) -> Row | None:
        """Run a query that is told the organisation and the time, and return its first row.

        Args:
            sql: A named query.
            parameters: Parameters of the statement.
        """
        cursor = await self.connection.execute(sql, self._with_context(parameters))
        return await cursor.fetchone()

    async def all(self, sql: bytes, **parameters: Any) -> list[Row]:
        """Do the same and return every row.

        Args:
            sql: A named query.
            parameters: Parameters of the statement.
        """
        cursor = await self.connection.execute(sql, self._with_context(parameters))
        return await cursor.fetchall()

    async def planned(self, sql: bytes, **parameters: Any) -> list[Row]:
        """As `all`, planned for these parameters alone: which index serves best depends on what is searched for.

        Args:
            sql: A query.
            parameters: Parameters of the statement.
        """
        cursor = await self.connection.execute(sql, self._with_context(parameters), prepare=False)
        return await cursor.fetchall()

    async def run(self, sql: bytes, **parameters: Any) -> None:
        """Do the same with a statement that returns nothing.

        Args:
            sql: A named query.
            parameters: Parameters of the statement.
        """
        await self.connection.execute(sql, self._with_context(parameters))

    def _with_context(self, parameters: Row) -> Row:
        return {"organisation_id": self.principal.organisation_id, "now": self.now, **parameters}


@attrs.frozen(kw_only=True)
class Reply:
    """What a handler answers with; `data` None and status 204 mean no body."""

    data: object = None
    status: int = 200
    page: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """What the `meta` of a listing has beside that of every answer."""
    location: str | None = None
    """Path of what was created."""


Handler = Callable[[Call], Awaitable[Reply | Response]]
"""A response of its own is for what is not JSON."""
