"""The default transport of blocking code: plain sockets and llhttp. httpcore handles proxies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from redcore._base.clock import monotonic
from redcore._base.response import Incoming, Response
from redcore._transport.address import split
from redcore._transport.body_reader import ACCEPT_ENCODING
from redcore._transport.connections import Route, Slot, Slots
from redcore._transport.deferred import DeferredTransport
from redcore._transport.direct_parser import DIRECT, WholeAnswer
from redcore._transport.direct_request import pieces, whole
from redcore._transport.direct_routes import DirectRoutes
from redcore._transport.direct_socket import BlockingConnection
from redcore._transport.errors import closed, our_errors
from redcore._transport.lifecycle import Owner
from redcore._transport.protocols import Transport
from redcore._transport.streamed_response import StreamedResponse
from redcore._transport.timeouts import TimeLimits
from redcore._transport.tls import Tls
from redcore._wire.encoding import Request


class DirectTransport(Owner):
    """Sends requests over its own connections; see `Transport`."""

    close_with = "make it with `with Client(...) as client:`, or call client.close()"

    def __init__(self) -> None:
        super().__init__()
        self._tls = Tls()
        self._proxied = DeferredTransport(open_pool)
        self._start()

    def _start(self) -> None:
        self._routes = DirectRoutes(partial(BlockingConnection, tls=self._tls))
        self._slots = Slots()

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        if self.closed:
            raise closed()
        ends_at = monotonic() + timeout_s
        limits = TimeLimits(timeout_s, ends_at)
        with our_errors(timeout_s, DIRECT):
            origin, target = split(request.url)
            route = self._routes.to(origin)
            if route is None:
                return self._proxied.send(request, timeout_s)
            data = whole(request, route.to, target, ACCEPT_ENCODING)
            slot = self._slot(limits)
            try:
                connection = fresh(route)
                try:
                    connection.begin(request.method, limits)
                    connection.send((data,), limits)
                    answer = WholeAnswer(connection.reader, ends_at)
                    while not answer.collect():
                        connection.read(limits)
                    response = answer.response()
                except BaseException:
                    connection.close()
                    raise
                self._keep(connection, route)
                return response
            finally:
                slot.give_back()

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        if self.closed:
            raise closed()
        limits = TimeLimits.begin(silence_s, ends_in_s)
        with our_errors(silence_s, DIRECT, limits.late):
            origin, target = split(request.url)
            route = self._routes.to(origin)
            if route is None:
                return self._proxied.stream(request, silence_s, ends_in_s)
            slot = self._slot(limits)
            try:
                connection = fresh(route)
            except BaseException:
                slot.give_back()
                raise
            end = partial(self._end, connection, route, slot)
            try:
                connection.begin(request.method, limits)
                connection.send(pieces(request, route.to, target), limits)
                reader = connection.reader
                while not reader.status:
                    connection.read(limits)
                body = iter(partial(connection.piece, limits), b"")
                return StreamedResponse(reader.status, reader.headers, body, limits=limits, foreign=DIRECT, end=end)
            except BaseException:
                end(False)  # noqa: FBT003 (as `StreamedResponse` calls it)
                raise

    def _slot(self, limits: TimeLimits) -> Slot:
        """Wait for a free connection slot, which the caller must give back."""
        self.use()
        return self._slots.take(limits)

    def _end(
        self,
        connection: BlockingConnection,
        route: Route[BlockingConnection],
        slot: Slot,
        whole: bool,  # noqa: FBT001 (as `StreamedResponse` calls it)
    ) -> None:
        """Keep a connection whose answer was read to its end, or close it."""
        try:
            if whole:
                self._keep(connection, route)
            else:
                connection.close()
        finally:
            slot.give_back()

    def _keep(self, connection: BlockingConnection, route: Route[BlockingConnection]) -> None:
        if (spent := route.put(connection)) is not None:
            spent.close()
        if self.closed:  # meanwhile
            close_all(route)

    def close(self) -> None:
        """Send no more, and close the connections; a second time does nothing."""
        self.closed = True
        self.let_go()
        self._proxied.close()

    def closer(self) -> Callable[[], None]:
        """Return a function that closes idle connections."""
        return partial(close_idle, self._routes)

    def begin_anew(self) -> None:
        """Close the child's copies of the sockets, which does not close the parent's connections."""
        self.let_go()
        self._proxied.begin_anew()
        self._start()


def open_pool() -> Transport:
    """Make the transport for origins behind a proxy."""
    from redcore._transport.pool import PoolTransport  # noqa: PLC0415 (it imports httpcore and httpx)

    return PoolTransport()


def fresh(route: Route[BlockingConnection]) -> BlockingConnection:
    """An idle connection that still works, or a new one."""
    connection = route.take()
    while connection.has_expired():
        connection.close()
        connection = route.take()
    return connection


def close_idle(routes: DirectRoutes[BlockingConnection]) -> None:
    """Close idle connections."""
    close_all(routes.idle())


def close_all(connections: Iterable[BlockingConnection]) -> None:
    """Close connections."""
    for connection in connections:
        connection.close()
