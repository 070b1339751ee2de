"""The API as an ASGI app: finds the operation, checks scope and request, calls the handler, writes the response.

Stands behind the gateway, which has put the caller (`PRINCIPAL`, `VERIFY_AGAIN`) and the request's UUID (`REQUEST_ID`)
into the scope. A GET handler gets a reader; any other gets a transaction that is rolled back if it raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs
import orjson
import psycopg
import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from redcore_server.api import api_keys, applications, files, products, users, workflows
from redcore_server.api.handler import Call, Handler, Reply, Services
from redcore_server.api.idempotency import Attempt, fingerprint, once
from redcore_server.api.shares import Shares
from redcore_server.api.uploads import Upload, Uploads
from redcore_server.api.validation import Validation
from redcore_server.auth.credentials.principal import PRINCIPAL, VERIFY_AGAIN, Principal
from redcore_server.clock import Clock
from redcore_server.contract.spec import Match, Spec
from redcore_server.errors import InsufficientScope, NotFound, RequestInProgress, ValidationFailed
from redcore_server.http.context import OPERATION, REQUEST_ID
from redcore_server.http.fields import combined
from redcore_server.http.render_error import respond
from redcore_server.store import Stores
from redcore_server.store.postgres import AsyncPostgres
from redcore_server.store.reader import Reader
from redcore_server.store.replica import READS

HANDLERS: Final[Mapping[str, Handler]] = {
    **users.HANDLERS,
    **products.HANDLERS,
    **api_keys.HANDLERS,
    **applications.HANDLERS,
    **files.HANDLERS,
    **workflows.HANDLERS,
}
"""Handlers by operationId; a test checks that every operation has one."""

_CREDENTIALS_SCOPE: Final = "admin"  # API keys and applications are read from the primary
_REPLAY_S: Final = 5.0  # contract section 3
_POLL_S: Final = 0.05  # doubled each time: each costs a transaction, and the caller may be verified again for it
_FRESH_S: Final = 1.0  # a body may take minutes to arrive; most arrive at once, and need no second check
_log = structlog.stdlib.get_logger("redcore_server.api")


def build(*, spec: Spec, stores: Stores, clock: Clock, services: Services, shares: Shares) -> ASGIApp:
    """Return the app.

    Args:
        spec: The parsed contract.
        services: Dependencies of the handlers other than the database.
        shares: Shares of the organisations in the connections of the stores.
    """
    uploads = Uploads(objects=services.objects, max_file_bytes=services.max_file_bytes)
    return _Api(spec, stores, clock, services, shares, uploads)


@attrs.frozen(kw_only=True)
class _Request:
    """A valid request."""

    match: Match
    principal: Principal
    request_id: str
    is_head: bool
    headers: Mapping[bytes, bytes]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    idempotency_key: str | None

    @property
    def facts(self) -> Mapping[str, Any]:
        """The part of the body that identifies equal requests."""
        upload: Upload | None = self.body.get("upload") if self.match.operation.is_upload else None
        return upload.facts() if upload else self.body

    @property
    def is_lookup(self) -> bool:
        """Whether it reads rows by their ids only, over a connection that all such requests share (ADR 61)."""
        return self.match.operation.method == "GET" and "limit" not in self.query


@attrs.frozen
class _Caller:
    """The caller of a request that is still arriving: it may lose its authority before the body ends.

    Attributes:
        verify: Verifies the bearer token again.
        match: Operation of the request.
        verified_at: When it was verified, in Unix seconds.
    """

    clock: Clock
    verify: Callable[[], Awaitable[Principal]]
    match: Match
    verified_at: float = attrs.field(init=False, default=attrs.Factory(lambda self: self.clock.time(), takes_self=True))

    async def of_now(self, request: _Request) -> _Request:
        """Return the request with what its caller may do now.

        Args:
            request: Request that has arrived.

        Raises:
            InvalidToken: The credential was revoked or has expired meanwhile.
            InsufficientScope: It lost the scope of the operation.
        """
        if 0 <= self.clock.time() - self.verified_at < _FRESH_S:
            return request
        principal = await self.verify()
        _authorised(self.match, principal)
        return attrs.evolve(request, principal=principal)


@attrs.frozen
class _Api:
    spec: Spec
    stores: Stores
    clock: Clock
    services: Services
    shares: Shares
    uploads: Uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except Exception as error:  # noqa: BLE001 - the edge: every error is answered here
            response = respond(error, REQUEST_ID.of(scope))
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        match = self.spec.find(scope["method"], scope["raw_path"])
        OPERATION.set(scope, match.operation.id)
        principal = PRINCIPAL.of(scope)
        handler = _authorised(match, principal)
        caller = _Caller(self.clock, VERIFY_AGAIN.of(scope), match)
        request = await self._checked(match, principal, scope, receive)
        if match.operation.is_upload:
            return await self._upload(handler, request, receive, caller)
        return await self._settled(handler, request, caller)

    async def _settled(self, handler: Handler, request: _Request, caller: _Caller) -> Response:
        """Answer a request; while the first one with its `Idempotency-Key` runs, wait without a connection for its end.

        Raises:
            RequestInProgress: The first one still runs after five seconds.
        """
        loop = asyncio.get_running_loop()
        ends_at, pause_s = loop.time() + _REPLAY_S, _POLL_S
        while True:
            try:
                return await self._in_turn(handler, request, caller)
            except RequestInProgress:
                if (left_s := ends_at - loop.time()) <= 0:
                    raise
            await asyncio.sleep(min(pause_s, left_s))
            pause_s *= 2

    async def _in_turn(self, handler: Handler, request: _Request, caller: _Caller) -> Response:
        """Answer within the organisation's share, with the authority that the caller has when its turn comes."""
        if request.is_lookup:
            return self._response(await self._read(handler, request), request.request_id)
        async with self.shares.of(request.principal.organisation_id):
            request = await caller.of_now(request)
            if request.match.operation.method == "GET":
                return self._response(await self._read(handler, request), request.request_id)
            return await self._write(handler, request)

    async def _read(self, handler: Handler, request: _Request) -> Reply | Response:
        """Answer from the replica if it is up to date; retry on the primary if the replica fails midway."""
        replica = self.stores.replica
        may_lag = request.match.operation.scope != _CREDENTIALS_SCOPE
        if replica is not None and may_lag and await replica.has(request.principal.organisation_id):
            try:
                reply = await handler(self._call(request, replica.reader))
            except psycopg.OperationalError as error:
                _log.warning("the replica failed, the primary answers", problem=str(error))
                replica.distrust()
            else:
                READS.labels("replica").inc()
                return reply
        READS.labels("primary").inc()
        return await handler(self._call(request, self.stores.reader))

    async def _upload(self, handler: Handler, request: _Request, receive: Receive, caller: _Caller) -> Response:
        organisation_id = request.principal.organisation_id
        async with self.shares.of(organisation_id), self.stores.postgres.connection() as connection:
            room_bytes = await files.room_bytes(self._call(request, self.stores.reader, connection))
        async with self.uploads.received(organisation_id, room_bytes, request.headers, receive) as upload:
            return await self._settled(handler, attrs.evolve(request, body={"upload": upload}), caller)

    async def _checked(self, match: Match, principal: Principal, scope: Scope, receive: Receive) -> _Request:
        validation = Validation(match.operation, max_limit=self.spec.max_limit)
        raw_headers = combined(scope["headers"])
        query = validation.query(scope["query_string"])
        headers = validation.headers(raw_headers)
        body = await validation.body(raw_headers, receive)
        if validation.problems:
            raise ValidationFailed(details=validation.problems)
        return _Request(
            match=match,
            principal=principal,
            request_id=REQUEST_ID.of(scope),
            is_head=scope["method"] == "HEAD",
            headers=raw_headers,
            query=query,
            body=body,
            idempotency_key=headers.get("Idempotency-Key"),
        )

    async def _write(self, handler: Handler, request: _Request) -> Response:
        with bound_contextvars(request_id=request.request_id):  # passed to the jobs it writes
            return await self._committed(handler, request)

    async def _committed(self, handler: Handler, request: _Request) -> Response:
        async with self.stores.postgres.connection() as connection:
            call = self._call(request, self.stores.reader, connection)

            async def handle() -> Response:
                return self._response(await handler(call), request.request_id)

            async with connection.transaction():
                if request.idempotency_key is None:
                    response = await handle()
                else:
                    response = await once(connection, self._attempt(request, request.idempotency_key, call.now), handle)
            await self.stores.marks.note(connection, request.principal.organisation_id)
        for act in call.after_commit:
            await act()
        return response

    def _attempt(self, request: _Request, key: str, now: datetime) -> Attempt:
        return Attempt(
            principal=request.principal,
            key=key,
            fingerprint=fingerprint(request.match.operation.id, request.match.path, request.facts),
            request_id=request.request_id,
            now=now,
        )

    def _call(self, request: _Request, reader: Reader, transaction: AsyncPostgres | None = None) -> Call:
        return Call(
            principal=request.principal,
            request_id=request.request_id,
            now=self.clock.now(),
            operation=request.match.operation.id,
            path=request.match.path,
            is_head=request.is_head,
            headers=request.headers,
            query=request.query,
            body=request.body,
            reader=reader,
            transaction=transaction,
            services=self.services,
        )

    def _response(self, reply: Reply | Response, request_id: str) -> Response:
        if isinstance(reply, Response):
            return reply
        if reply.status == 204:
            return Response(status_code=204)
        meta = {"request_id": f"req_{request_id.replace('-', '')}", "version": self.spec.version, **reply.page}
        body = orjson.dumps({"data": reply.data, "meta": meta}, option=orjson.OPT_UTC_Z)
        headers = {"Location": reply.location} if reply.location else None
        return Response(body, reply.status, headers, "application/json")


def _authorised(match: Match, principal: Principal) -> Handler:
    scope = match.operation.scope
    if scope is None:  # this operation belongs to another service
        raise NotFound
    if not principal.allows(scope):
        raise InsufficientScope(scope)
    return HANDLERS[match.operation.id]
