"""The SDK's transport directly over httpcore, which avoids much of the overhead of httpx; `pool_async` is its twin.

Proxies and certificates of the environment work as with httpx. No cookies, no redirects. Imported when the first client
is created, as httpcore imports every installed event loop.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar
from weakref import WeakKeyDictionary

import httpcore

from redcore._base.clock import monotonic, uptime
from redcore._base.response import Incoming, Response
from redcore._transport.address import Address, split
from redcore._transport.body_reader import Body
from redcore._transport.connections import SPARE_S, Connection, ConnectionT, Route, Routes, Slot, Slots
from redcore._transport.deadline_backend import BoundedBackend
from redcore._transport.errors import Foreign, closed, our_errors
from redcore._transport.httpcore_request import IDENTITY, headers_of, may_keep, on_the_wire, origin_of
from redcore._transport.httpx_client import HTTPX
from redcore._transport.lifecycle import Owner
from redcore._transport.proxies import Proxy
from redcore._transport.proxy_backend import ProxyBackend
from redcore._transport.streamed_response import StreamedResponse
from redcore._transport.timeouts import TimeLimits, until
from redcore._transport.tls import Tls
from redcore._wire.encoding import Request

HTTPCORE = Foreign(  # and httpx, whose errors mocks raise
    late=(httpcore.TimeoutException, *HTTPX.late),
    no_address=(httpcore.UnsupportedProtocol, *HTTPX.no_address),
    no_header=(httpcore.LocalProtocolError, *HTTPX.no_header),
    no_encoding=HTTPX.no_encoding,
    by_proxy=(httpcore.ProxyError,),
    no_answer=(
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ConnectionNotAvailable,
        *HTTPX.no_answer,
    ),
)


class PoolTransport(Owner):
    """Sends requests over its own connections; see `Transport`."""

    name: ClassVar[str | None] = None
    close_with = "make it with `with Client(...) as client:`, or call client.close()"

    def __init__(self) -> None:
        super().__init__()
        self._tls = Tls()
        self._start()

    def _start(self) -> None:
        self._routes = Routes(partial(connect, self._tls))
        self._slots = Slots()

    def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt."""
        if self.closed:
            raise closed()
        self.use()
        ends_at = monotonic() + timeout_s
        with our_errors(timeout_s, HTTPCORE) as attempt, until(ends_at):
            origin, target = split(request.url)
            route = self._routes.to(origin)
            attempt.is_proxied = route.is_proxied
            sent = on_the_wire(request, route.to, target)
            slot = self._slots.take(TimeLimits(timeout_s, ends_at))
            try:
                return self._exchange(sent, route, ends_at)
            finally:
                slot.give_back()

    def _exchange(
        self, request: httpcore.Request, route: Route[httpcore.ConnectionInterface], ends_at: float
    ) -> Response:
        connection = fresh(route)
        try:
            answer = connection.handle_request(request)
            headers = headers_of(answer)
            body = Body(answer.status, headers.get("content-encoding"), ends_at)
            for piece in answer.iter_stream():
                body.add(piece)
            answer.close()
            content = body.whole()
        except BaseException:
            connection.close()
            raise
        spent = kept(connection, route, answer)
        if spent is not None:
            spent.close()
        if self.closed:  # meanwhile
            close_all(route)
        return Response(answer.status, headers, content)

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """Make one attempt with a streamed body, up to the header of the response."""
        if self.closed:
            raise closed()
        self.use()
        limits = TimeLimits.begin(silence_s, ends_in_s)
        with our_errors(silence_s, HTTPCORE, limits.late) as attempt, until(limits.ends_at):
            origin, target = split(request.url)
            route = self._routes.to(origin)
            attempt.is_proxied = route.is_proxied
            sent = on_the_wire(request, route.to, target, IDENTITY)
            sent.extensions = {"timeout": limits.waits()}
            slot = self._slots.take(limits)
            try:
                connection = fresh(route)
                end = partial(self._end, connection, route, slot)
            except BaseException:
                slot.give_back()
                raise
            try:
                answer = connection.handle_request(sent)
                pieces = answer.iter_stream()
                return StreamedResponse(
                    answer.status,
                    headers_of(answer),
                    pieces,
                    limits=limits,
                    foreign=HTTPCORE,
                    end=partial(end, answer),
                )
            except BaseException:
                end(None, False)  # noqa: FBT003 (as above)
                raise

    def _end(
        self,
        connection: httpcore.ConnectionInterface,
        route: Route[httpcore.ConnectionInterface],
        slot: Slot,
        answer: httpcore.Response | None,
        whole: bool,  # noqa: FBT001 (as `StreamedResponse` calls it)
    ) -> None:
        """Keep a connection whose response was read completely, or close it, even if interrupted."""
        spent: httpcore.ConnectionInterface | None = connection
        try:
            if answer is not None and whole:
                answer.close()
                spent = kept(connection, route, answer)
        finally:
            slot.give_back()
            if spent is not None:
                spent.close()
        if self.closed:  # meanwhile
            close_all(route)

    def close(self) -> None:
        """Close the transport and its connections. Safe to call twice."""
        self.closed = True
        self.let_go()

    def closer(self) -> Callable[[], None]:
        """Return a function that closes idle connections."""
        return partial(close_spares, self._routes)

    def begin_anew(self) -> None:
        """Drop inherited connections after fork(): closing the child's sockets does not close the parent's."""
        self.let_go()
        self._start()


def fresh(route: Route[httpcore.ConnectionInterface]) -> httpcore.ConnectionInterface:
    """A connection that has not expired."""
    connection = route.take()
    while has_expired(connection):
        connection.close()
        connection = route.take()
    return connection


_idle_until: WeakKeyDictionary[object, float] = WeakKeyDictionary()
"""By connection, until when it can be reused: httpcore's own clock stands still while the machine is suspended."""


def kept(connection: ConnectionT, route: Route[ConnectionT], answer: httpcore.Response) -> ConnectionT | None:
    """Keep a connection for the next request; returns a connection to close, as `Route.put` does."""
    if not may_keep(connection, answer):
        return connection
    _idle_until[connection] = uptime() + SPARE_S
    return route.put(connection)


def has_expired(connection: Connection) -> bool:
    """Whether a connection was idle for too long, or closed by the server."""
    return uptime() > _idle_until.get(connection, math.inf) or connection.has_expired()


def connect(tls: Tls, proxy: Proxy | None, where: Address) -> httpcore.ConnectionInterface:
    """Make a connection, which opens with its first request; httpcore's pool is only used to create it."""
    settings = tls.now()
    return httpcore.ConnectionPool(
        ssl_context=settings,
        proxy=through(proxy, settings),
        keepalive_expiry=SPARE_S,
        network_backend=BoundedBackend() if proxy is None else ProxyBackend(BoundedBackend(), proxy),
    ).create_connection(origin_of(where))


def through(proxy: Proxy | None, settings: ssl.SSLContext) -> httpcore.Proxy | None:
    """Convert an HTTP proxy to httpcore's type; `ProxyBackend` opens the connections through a SOCKS proxy."""
    if proxy is None or proxy.is_socks:
        return None
    url = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/")
    return httpcore.Proxy(url, auth=proxy.login, ssl_context=settings if proxy.scheme == "https" else None)


def close_spares(routes: Routes[httpcore.ConnectionInterface]) -> None:
    """Close idle connections."""
    close_all(routes.spares())


def close_all(connections: Iterable[httpcore.ConnectionInterface]) -> None:
    """Close connections."""
    for connection in connections:
        connection.close()
