"""Sends over aiohttp, whose connections and parser cost the least with a hundred concurrent calls; asyncio only.

Imported for `AsyncClient(transport="aiohttp")` only. Proxies, certificates and limits are as for the default transport.
"""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from functools import partial
from typing import Any, ClassVar, Self
from weakref import WeakKeyDictionary

import aiohttp
import attrs
from aiohttp import http_exceptions
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from yarl import URL

from redcore._base.cancellation import to_the_end
from redcore._base.clock import monotonic, uptime
from redcore._base.response import AsyncIncoming, Headers, Response
from redcore._transport.address import Address, address, split
from redcore._transport.asyncio_backend import is_readable
from redcore._transport.body_reader import ACCEPT_ENCODING, BODILESS, Body, announces_body
from redcore._transport.connecting import named, resolve_async
from redcore._transport.connections import MAX_CONNECTIONS, SPARE_S
from redcore._transport.errors import BY_LOOPS, Foreign, closed, our_errors
from redcore._transport.lifecycle import Owner
from redcore._transport.per_loop import PerLoop, running_loop
from redcore._transport.proxies import proxy_for, source
from redcore._transport.streamed_response import AsyncStreamedResponse
from redcore._transport.timeouts import TimeLimits
from redcore._transport.tls import Tls
from redcore._wire.encoding import Request
from redcore.exceptions import ConfigurationError


class NoProxy(aiohttp.ClientConnectionError):
    """The proxy cannot be reached."""


AIOHTTP = Foreign(
    late=(TimeoutError, aiohttp.ServerTimeoutError),
    no_address=(UnicodeError, aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError),
    no_header=(),  # aiohttp only has ValueError, also used for bad certificates; headers are validated before
    no_encoding=(http_exceptions.ContentEncodingError,),
    by_proxy=(NoProxy, aiohttp.ClientHttpProxyError),
    no_answer=(
        *BY_LOOPS,
        aiohttp.ClientError,
        http_exceptions.HttpProcessingError,
        aiohttp.EofStream,
    ),
)
NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
MAX_FIELD_BYTES = 100 * 1024  # of one header: the other transports accept as much; by default aiohttp accepts 8 KiB
MAX_HEADERS = 512  # proxies that explain what they did add more than the 128 that aiohttp accepts by default
LARGE = 2**20  # bytes above which aiohttp warns about sending a body in one piece


async def once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Stop aiohttp from retrying by itself, as it does for these two errors: the client's retry policy applies."""
    task = asyncio.current_task()
    cancels = 0 if task is None else task.cancelling()
    try:
        return await send(request)
    except aiohttp.ClientHttpProxyError as problem:
        raise NoProxy(f"{problem.status} {problem.message}") from problem
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as problem:
        if task is not None and task.cancelling() > cancels:  # aiohttp's error of clearing up took its place
            raise asyncio.CancelledError from problem
        if isinstance(problem, aiohttp.ServerDisconnectedError):  # it quotes the head, as far as it arrived
            raise aiohttp.ClientConnectionError("the connection ended before the answer did") from None
        below = getattr(problem, "os_error", problem)  # the message of aiohttp's own quotes the SSLContext
        raise refused(request, problem)(str(below) or type(below).__name__) from problem


def refused(request: aiohttp.ClientRequest, problem: Exception) -> type[aiohttp.ClientConnectionError]:
    """The class for an error of connecting: a proxy's name is the only one to resolve, as it resolves the origin's."""
    of_name = isinstance(problem, aiohttp.ClientConnectorDNSError) and request.proxy is not None
    is_of_proxy = of_name or isinstance(problem, aiohttp.ClientProxyConnectionError)
    return NoProxy if is_of_proxy else aiohttp.ClientConnectionError


class Resolver(AbstractResolver):
    """Resolves names as the other transports do: aiohttp's own keeps the loop from ending while a lookup hangs."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host."""
        with named(host, port):
            found_addresses = await resolve_async(host, port)
        return [
            ResolveResult(
                hostname=host,
                host=socket.getnameinfo(where, NUMERIC)[0],  # with the zone of an IPv6 address
                port=port,
                family=found,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for found, where in found_addresses
            if family in {socket.AF_UNSPEC, found}
        ]

    async def close(self) -> None:
        """Do nothing: no lookup holds anything."""


class Connector(aiohttp.TCPConnector):
    """Never reuses a connection that received data after the last response.

    Data on a new connection belongs to TLS: the session tickets after a handshake (RFC 8446 section 4.6.1).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] (aiohttp names a bare tuple)
        self._used: WeakKeyDictionary[object, float] = WeakKeyDictionary()
        """By protocol, when its latest request began; aiohttp's clock stands still while the machine is suspended."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (as aiohttp calls it)
    ) -> Connection:
        """Return a connection for a request."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                return connection
            used_at = self._used.get(protocol)
            is_stale = used_at is not None and (
                protocol.should_close or is_readable(connection.transport) or uptime() - used_at > SPARE_S
            )
            if not is_stale:
                self._used[protocol] = uptime()
                return connection
            connection.close()


class Answer(aiohttp.ClientResponse):
    """Closes the connection if the response announces a body that is not read."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read the header."""
        protocol = connection.protocol
        await super().start(connection)
        if protocol is not None and self.status in BODILESS and announces_body(headers_of(self)):
            protocol.close()
        return self


@attrs.define(eq=False)
class LoopSession:
    """The connections of one event loop, and the proxies of origins."""

    http: aiohttp.ClientSession
    routes: dict[str, dict[str, Any]] = attrs.field(factory=dict[str, dict[str, Any]])
    exchanges: int = 0
    """Those in progress, without streamed ones."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.close()


class AiohttpTransport(Owner):
    """Sends requests over its own connections, in any asyncio event loop; see `AsyncTransport`."""

    name: ClassVar[str | None] = "aiohttp"
    close_with = "make it with `async with AsyncClient(...) as client:`, or call `await client.aclose()`"

    def __init__(self) -> None:
        super().__init__()
        self._tls = Tls()
        self._sessions: PerLoop[LoopSession] = PerLoop(LoopSession.aclose)

    async def _session(self) -> LoopSession:
        if not isinstance(running_loop(), asyncio.AbstractEventLoop):
            raise ConfigurationError('transport="aiohttp" works with asyncio only; make the client without it for trio')
        self.use()
        connector = Connector(resolver=Resolver(), limit=MAX_CONNECTIONS, keepalive_timeout=SPARE_S)
        http = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(),
            middlewares=(once,),
            response_class=Answer,
            max_line_size=MAX_FIELD_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_HEADERS,
        )
        return await self._sessions.keep(LoopSession(http))

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        if self.closed:
            raise closed()
        session = self._sessions.here() or await self._session()
        session.exchanges += 1
        try:
            return await self._exchange(session, request, timeout_s)
        finally:
            session.exchanges -= 1
            if self.closed:  # meanwhile
                await self.aclose()

    async def _exchange(self, session: LoopSession, request: Request, timeout_s: float) -> Response:
        ends_at = monotonic() + timeout_s
        with our_errors(timeout_s, AIOHTTP) as attempt:
            async with asyncio.timeout(timeout_s):
                asked = self._arguments(session, request)
                attempt.is_proxied = "proxy" in asked
                answer = await session.http.request(**asked)
                try:
                    headers = headers_of(answer)
                    body = Body(answer.status, headers.get("content-encoding"), ends_at)
                    async for piece in answer.content.iter_any():
                        body.add(piece)
                    return Response(answer.status, headers, body.whole())
                finally:
                    answer.close()  # closes the connection too, unless the response was read completely

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        if self.closed:
            raise closed()
        session = self._sessions.here() or await self._session()
        limits = TimeLimits.begin(silence_s, ends_in_s)
        with our_errors(silence_s, AIOHTTP, limits.late) as attempt:
            async with asyncio.timeout(limits.left_s()) as limit:
                asked = streamed(self._arguments(session, request), silence_s)
                attempt.is_proxied = "proxy" in asked
                silence = SilenceTimer(limit, limits)
                if not isinstance(request.content, bytes | None):
                    asked["data"] = silence.over(asked["data"])
                try:
                    answer = await session.http.request(**asked)
                except BaseException:
                    await silence.stop()
                    raise
                silence.is_on = False
                return AsyncStreamedResponse(
                    answer.status,
                    headers_of(answer),
                    Bounded(answer.content.iter_any(), limits),
                    limits=limits,
                    foreign=AIOHTTP,
                    end=partial(end, answer, silence),
                )

    def _arguments(self, session: LoopSession, request: Request) -> dict[str, Any]:
        """The arguments of a request of aiohttp."""
        headers = {"Accept-Encoding": ACCEPT_ENCODING, **request.headers}
        data: Any = request.content
        if isinstance(data, bytes) and len(data) > LARGE:
            data = io.BytesIO(data)
        origin, _ = split(request.url)
        route = session.routes.get(origin)
        if route is None:
            route = session.routes[origin] = route_to(address(origin))
        if origin.startswith("https:"):
            route = {**route, "ssl": self._tls.now()}
        return {
            "method": request.method,
            "url": URL(request.url, encoded=True),
            "headers": headers,
            "data": data,
            "allow_redirects": False,
            **route,
        }

    async def aclose(self) -> None:
        """Close the transport, and its connections when no exchange is in progress. Safe to call twice.

        aiohttp would cut those that are: one of them may bring a new pair of tokens, and the old pair is dead.
        """
        self.closed = True
        session = self._sessions.here()
        if session is None or not session.exchanges:
            await self._sessions.drop()

    def closer(self) -> Callable[[], None]:
        """Return a function that lets the event loops close the connections, unless there are exchanges over them."""
        return partial(self._sessions.let_go, lambda session: not session.exchanges)

    def begin_anew(self) -> None:
        """Drop inherited connections after fork()."""
        self._sessions.abandon()


def streamed(asked: dict[str, Any], silence_s: float) -> dict[str, Any]:
    """The arguments of a streamed exchange; aiohttp sets `Transfer-Encoding` itself."""
    headers = {name: value for name, value in asked["headers"].items() if name != "Transfer-Encoding"}
    headers["Accept-Encoding"] = "identity"
    waits = aiohttp.ClientTimeout(connect=silence_s, sock_read=silence_s)
    return {**asked, "headers": headers, "timeout": waits}


@attrs.frozen
class Bounded:
    """The chunks of a body; ends a read that aiohttp does not, as it loses a time-out that comes before the body."""

    pieces: AsyncIterator[bytes]
    limits: TimeLimits

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        async with asyncio.timeout(2 * self.limits.wait_s()):  # after aiohttp's own, which counts bytes, not chunks
            return await anext(self.pieces)


@attrs.define
class SilenceTimer:
    """Ends an exchange when no chunk of its body is taken and no response begins; aiohttp has no such timeout."""

    limit: asyncio.Timeout
    limits: TimeLimits
    is_on: bool = True
    _sending: asyncio.Task[Any] | None = None

    async def over(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
        """Yield the same chunks."""
        self._sending = asyncio.current_task()
        async for piece in pieces:
            if self.is_on:
                self.limit.reschedule(asyncio.get_running_loop().time() + self.limits.wait_s())
            yield piece

    async def stop(self) -> None:
        """Ensure that no more chunks are taken: aiohttp sends in a task that it does not wait for."""
        if self._sending is not None and not self._sending.done():
            self._sending.cancel()
            await to_the_end(asyncio.wait([self._sending]))


async def end(answer: aiohttp.ClientResponse, silence: SilenceTimer, _: bool) -> None:  # noqa: FBT001 (see `AsyncStreamedResponse`)
    """Close the connection, unless the response was read completely."""
    answer.close()
    await silence.stop()


def route_to(where: Address) -> dict[str, Any]:
    """The arguments of aiohttp for an origin: direct, or through a proxy."""
    proxy = proxy_for(where.scheme, where.host, where.port)
    if proxy is None:
        return {}
    if proxy.is_socks:
        raise ConfigurationError(
            f'{source()} is a SOCKS proxy, which transport="aiohttp" cannot use; make the client without it'
        )
    url = URL.build(scheme=proxy.scheme, host=proxy.host, port=proxy.port)
    return {"proxy": url, "proxy_headers": proxy.authorization}


def headers_of(answer: aiohttp.ClientResponse) -> Headers:
    """The headers of a response."""
    return Headers.of_pairs((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers)
