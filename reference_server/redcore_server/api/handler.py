"""The input and output of a handler; neither depends on HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
from starlette.responses import Response

from redcore_server.auth.credentials.principal import Principal
from redcore_server.errors import NotFound
from redcore_server.store.objects import Objects
from redcore_server.store.postgres import AsyncPostgres
from redcore_server.store.reader import Reader

Row = dict[str, Any]
Act = Callable[[], Awaitable[object]]


@attrs.frozen(kw_only=True)
class Services:
    """Dependencies of the handlers other than the database.

    Attributes:
        revoke_user: Ends all tokens and sessions of a user immediately.
        revoke_client: Ends all tokens of an application immediately.
        objects: The object store.
        storage_bytes: Storage quota of an organisation, in bytes.
        max_file_bytes: Maximum size of a file, in bytes.
        retention: How long the bytes of a deleted file stay in the object store.
        secret_overlap: How long a client secret stays valid after it is replaced.
    """

    revoke_user: Callable[[str], Awaitable[object]]
    revoke_client: Callable[[str], Awaitable[object]]
    objects: Objects
    storage_bytes: int
    max_file_bytes: int
    retention: timedelta
    secret_overlap: timedelta


@attrs.frozen(kw_only=True)
class Call:
    """One valid, authorised request.

    Attributes:
        principal: The authenticated caller.
        request_id: UUID of the request.
        now: Time of the request, used for everything it does.
        operation: The operationId.
        path: Path parameters.
        is_head: Whether the response body will be dropped, so that it need not be read.
        headers: All request headers, with lower-case names.
        query: All query parameters of the operation; None if absent and without a default.
        body: The validated JSON body; for an upload, the upload under `upload`; empty for an operation without a body.
        reader: For GET: reads from a server that has all writes of the organisation.
        transaction: Connection in an open transaction, rolled back if the handler raises; None for GET.
        services: The other dependencies.
        after_commit: Callbacks to run after the commit.
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
    reader: Reader
    transaction: AsyncPostgres | None
    services: Services
    after_commit: list[Act] = attrs.field(factory=list[Act])

    @property
    def connection(self) -> AsyncPostgres:
        """The connection of the transaction."""
        assert self.transaction is not None  # noqa: S101 - only GET has none, and reads with `found` and `listed`
        return self.transaction

    async def found(self, kind: str, sql: bytes, row_id: str) -> Row:
        """Return a row of the organisation, outside a transaction.

        Args:
            kind: What the row is, for the error.
            sql: See `Reader.find`.
            row_id: Id of the row.

        Raises:
            NotFound: The organisation has no such row.
        """
        row = await self.reader.find(sql, row_id, self.principal.organisation_id)
        if row is None:
            raise NotFound.named(kind, row_id)
        return row

    async def listed(self, sql: bytes, **parameters: Any) -> list[Row]:
        """Return all rows of a query of a listing, outside a transaction.

        Args:
            sql: A query.
            parameters: Parameters of the statement.
        """
        return await self.reader.all(sql, self._with_context(parameters))

    async def one(self, sql: bytes, **parameters: Any) -> Row | None:
        """Run a query in the transaction, with organisation and time as extra parameters, and return its first row.

        Args:
            sql: A named query.
            parameters: Parameters of the statement.
        """
        cursor = await self.connection.execute(sql, self._with_context(parameters))
        return await cursor.fetchone()

    async def all(self, sql: bytes, **parameters: Any) -> list[Row]:
        """Run a query like `one`, and return all rows.

        Args:
            sql: A named query.
            parameters: Parameters of the statement.
        """
        cursor = await self.connection.execute(sql, self._with_context(parameters))
        return await cursor.fetchall()

    async def run(self, sql: bytes, **parameters: Any) -> None:
        """Run a statement like `one`, without a result.

        Args:
            sql: A named query.
            parameters: Parameters of the statement.
        """
        await self.connection.execute(sql, self._with_context(parameters))

    def _with_context(self, parameters: Row) -> Row:
        return {"organisation_id": self.principal.organisation_id, "now": self.now, **parameters}


@attrs.frozen(kw_only=True)
class Reply:
    """The result of a handler; `data` None and status 204 mean no body."""

    data: object = None
    status: int = 200
    page: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """Fields a listing adds to `meta`."""
    location: str | None = None
    """Path of the created resource."""


Handler = Callable[[Call], Awaitable[Reply | Response]]
"""A ready response is for content that is not JSON."""
