"""The SDK's own transport, straight over httpcore, which saves much of what a call through httpx costs.

Proxies and certificates of the environment work as with httpx. No cookies, no redirects. Imported when the first client
is made: httpcore loads every event loop that is installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import anyio
import httpcore
import httpx

from redcore._operation import Request
from redcore._response import Headers, Response
from redcore.transport.body import ACCEPT_ENCODING, Body
from redcore.transport.bounded import BoundedBackend, until
from redcore.transport.errors import Foreign, closed, our_errors
from redcore.transport.given import HTTPX
from redcore.transport.proxies import Proxies
from redcore.transport.tls import tls

PoolT = TypeVar("PoolT")
HTTPCORE = Foreign(  # and httpx, whose errors mocks raise here
    late=(httpcore.TimeoutException, *HTTPX.late),
    no_address=(httpcore.UnsupportedProtocol, *HTTPX.no_address),
    no_header=(httpcore.LocalProtocolError, *HTTPX.no_header),
    no_encoding=HTTPX.no_encoding,
    no_answer=(
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.ConnectionNotAvailable,
        *HTTPX.no_answer,
    ),
)
MAX_CONNECTIONS = 100
SPARE_CONNECTIONS = 20
SPARE_S = 30.0  # below the 60 s or more that servers and load balancers keep an idle connection


class Pools(Generic[PoolT]):
    """A pool for each proxy, and one for hosts that are reached directly; made when first needed."""

    def __init__(self, make: Callable[[httpcore.Proxy | None], PoolT]) -> None:
        self._make = make
        self._proxies = Proxies.of_environment()
        self._pools: dict[int, PoolT] = {}

    def pool_for(self, scheme: str, host: str) -> PoolT:
        """The pool whose connections reach a host."""
        proxy = self._proxies.between(scheme, host)
        pool = self._pools.get(id(proxy))
        if pool is None:
            # Two threads may both make one: setdefault keeps one of them, and the other has no connection yet.
            pool = self._pools.setdefault(id(proxy), self._make(proxy))
        return pool

    def __iter__(self) -> Iterator[PoolT]:
        return iter(list(self._pools.values()))


@lru_cache(maxsize=64)
def address(origin: str) -> tuple[bytes, bytes, int | None, bytes]:
    """Scheme, host, port and `Host` header of an origin."""
    parts = urlsplit(origin)
    return parts.scheme.encode(), (parts.hostname or "").encode("idna"), parts.port, parts.netloc.encode("idna")


def on_the_wire(request: Request, timeout_s: float) -> tuple[httpcore.Request, str, str]:
    """The request as httpcore takes it, and scheme and host of where it goes."""
    scheme_end = request.url.index("://") + 3
    path_at = request.url.find("/", scheme_end)
    origin, target = (request.url, "/") if path_at < 0 else (request.url[:path_at], request.url[path_at:])
    scheme, host, port, netloc = address(origin)
    headers = [(b"Host", netloc), (b"Accept-Encoding", ACCEPT_ENCODING.encode())]
    headers += [(name.encode("ascii"), value.encode("ascii")) for name, value in request.headers.items()]
    content: Any = request.content
    if request.files is not None:
        content, extra = multipart(request)
        headers += extra
    elif content is not None:
        headers.append((b"Content-Length", str(len(content)).encode()))
    elif request.method in {"POST", "PUT", "PATCH"}:
        headers.append((b"Content-Length", b"0"))
    waits = {"connect": timeout_s, "read": timeout_s, "write": timeout_s, "pool": timeout_s}
    made = httpcore.Request(
        request.method.encode(),
        httpcore.URL(scheme=scheme, host=host, port=port, target=target.encode("ascii")),
        headers=headers,
        content=content,
        extensions={"timeout": waits},
    )
    return made, scheme.decode(), host.decode()


def multipart(request: Request) -> tuple[Any, list[tuple[bytes, bytes]]]:
    """A multipart body and the headers that describe it, as httpx writes them (RFC 7578)."""
    built = httpx.Request(request.method, request.url, files=dict(request.files or {}), data=dict(request.fields or {}))
    told = ("content-type", "content-length", "transfer-encoding")
    return built.stream, [(name.encode(), built.headers[name].encode()) for name in told if name in built.headers]


def headers_of(response: httpcore.Response) -> Headers:
    """The headers of an answer."""
    return Headers.of_pairs((name.decode("ascii"), value.decode("latin-1")) for name, value in response.headers)


class PoolTransport:
    """Sends requests over connections of its own; see `Transport`."""

    def __init__(self) -> None:
        settings, backend = tls(), BoundedBackend()

        def make(proxy: httpcore.Proxy | None) -> httpcore.ConnectionPool:
            return httpcore.ConnectionPool(
                ssl_context=settings,
                proxy=proxy,
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=SPARE_CONNECTIONS,
                keepalive_expiry=SPARE_S,
                network_backend=backend,
            )

        self._pools = Pools(make)
        self._closed = False

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        if self._closed:
            raise closed()
        ends_at = time.monotonic() + timeout_s
        with our_errors(timeout_s, HTTPCORE), until(ends_at):
            made, scheme, host = on_the_wire(request, timeout_s)
            response = self._pools.pool_for(scheme, host).handle_request(made)
            try:
                headers = headers_of(response)
                body = Body(headers.get("content-encoding"), ends_at)
                for piece in response.iter_stream():
                    body.add(piece)
            finally:
                response.close()
            return Response(response.status, headers, body.whole())

    def close(self) -> None:
        """Send no more, and close the connections; a second time does nothing."""
        self._closed = True
        for pool in self._pools:
            pool.close()


class AsyncPoolTransport:
    """Sends requests over connections of its own; see `AsyncTransport`."""

    def __init__(self) -> None:
        settings = tls()

        def make(proxy: httpcore.Proxy | None) -> httpcore.AsyncConnectionPool:
            return httpcore.AsyncConnectionPool(
                ssl_context=settings,
                proxy=proxy,
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=SPARE_CONNECTIONS,
                keepalive_expiry=SPARE_S,
            )

        self._pools = Pools(make)
        self._closed = False

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        if self._closed:
            raise closed()
        with our_errors(timeout_s, HTTPCORE), anyio.fail_after(timeout_s):
            made, scheme, host = on_the_wire(request, timeout_s)
            response = await self._pools.pool_for(scheme, host).handle_async_request(made)
            try:
                headers = headers_of(response)
                body = Body(headers.get("content-encoding"), time.monotonic() + timeout_s)
                async for piece in response.aiter_stream():
                    body.add(piece)
            finally:
                await response.aclose()
            return Response(response.status, headers, body.whole())

    async def aclose(self) -> None:
        """Send no more, and close the connections; a second time does nothing."""
        self._closed = True
        for pool in self._pools:
            await pool.aclose()
