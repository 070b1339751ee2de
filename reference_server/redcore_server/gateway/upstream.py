"""Proxies from a gateway to a service in another process; requests and responses are streamed.

Nothing is retried here: only the client knows whether a request may be sent twice.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import attrs
import structlog
from multidict import CIMultiDict
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from yarl import URL

from redcore_server.errors import ApiError, ServiceUnavailable
from redcore_server.http.addresses import client_address
from redcore_server.http.context import REQUEST_ID
from redcore_server.http.exchange import RawHeader

_CONNECT_S: Final = 5.0  # a lost packet is sent again after 1 s and after 3 s (RFC 6298)
_READ_S: Final = 25.0  # for each part of a response; before the first one the gateway's own deadline is shorter
_MAX_HEAD_BYTES: Final = 64 * 1024  # of a response; as much as `listening` allows of a request
_HOP_BY_HOP: Final = frozenset(  # RFC 9110 section 7.6.1
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_OURS: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id"})
_GATEWAYS: Final = frozenset({b"date", b"x-request-id"})  # which the gateway adds to every response

_log = structlog.stdlib.get_logger("redcore_server.gateway")


@asynccontextmanager
async def open_session() -> AsyncGenerator[aiohttp.ClientSession]:
    """Yield the HTTP session for the other services."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),  # no limit here: rate limits bound the load
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers={"User-Agent", "Accept", "Accept-Encoding", "Content-Type"},
        timeout=aiohttp.ClientTimeout(connect=_CONNECT_S, sock_read=_READ_S),
        max_line_size=_MAX_HEAD_BYTES,
        max_field_size=_MAX_HEAD_BYTES,
        trust_env=False,
        middlewares=(_once,),
    ) as session:
        yield session


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from retrying by itself, as it does for these two errors."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as problem:
        raise aiohttp.ClientConnectionError(str(problem)) from problem


@attrs.frozen
class Upstream:
    """An ASGI app that forwards to another process.

    Attributes:
        session: HTTP session to send with.
        origin: Origin of the service.
    """

    session: aiohttp.ClientSession
    origin: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, and its response back.

        Raises:
            ServiceUnavailable: The service does not answer.
            ApiError: The body arrives too slowly, or is not valid HTTP.
            ClientDisconnect: The client disconnected.
        """
        body = _Body(receive)
        try:
            answer = await self.session.request(**self._arguments(scope, body))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if body.problem is not None:
                raise body.problem from None
            _log.error("a service is away", service=self.origin, problem=str(error) or type(error).__name__)
            raise ServiceUnavailable from error
        try:
            response = StreamingResponse(answer.content.iter_any(), answer.status)
            response.raw_headers = list(passed_on(answer.raw_headers, _GATEWAYS))
            await response(scope, receive, send)
        finally:
            answer.close()

    def _arguments(self, scope: Scope, body: _Body) -> dict[str, Any]:
        headers = CIMultiDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in passed_on(scope["headers"], _OURS)
        )
        headers["X-Request-ID"] = REQUEST_ID.of(scope)
        headers["X-Forwarded-For"] = client_address(scope)
        headers["X-Forwarded-Proto"] = scope["scheme"]
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        has_body = any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])
        return {
            "method": scope["method"],
            "url": URL(self.origin + target.decode("latin-1"), encoded=True),
            "headers": headers,
            "data": body.pieces() if has_body else None,
            "allow_redirects": False,
        }


def passed_on(headers: Iterable[RawHeader], but: frozenset[bytes]) -> Iterable[RawHeader]:
    """Return the headers without the hop-by-hop ones.

    Args:
        headers: Headers of a request or response.
        but: Further headers to leave out, with lower-case names.
    """
    given = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in given if name == b"connection" for word in value.split(b",")}
    return [(name, value) for name, value in given if name not in _HOP_BY_HOP | but | named]


@attrs.define
class _Body:
    """The body of a request, and its error if any: aiohttp would report that as an error of its own connection."""

    receive: Receive
    problem: ApiError | ClientDisconnect | None = None

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the parts as they arrive."""
        more = True
        while more:
            try:
                message = await self._next()
            except (ApiError, ClientDisconnect) as problem:
                self.problem = problem
                raise
            if body := message.get("body", b""):
                yield body
            more = message.get("more_body", False)

    async def _next(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return message
