"""The default transport in asyncio event loops, including uvloop; httpcore handles proxies and trio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

import anyio
import attrs

from redcore._base.clock import monotonic
from redcore._base.response import AsyncIncoming, Response
from redcore._transport.address import split
from redcore._transport.body_reader import ACCEPT_ENCODING
from redcore._transport.connections import MAX_CONNECTIONS, Route
from redcore._transport.deferred import AsyncDeferredTransport
from redcore._transport.direct_parser import DIRECT
from redcore._transport.direct_protocol import READ_BYTES, AsyncConnection, StreamedBody
from redcore._transport.direct_request import async_pieces, whole
from redcore._transport.direct_routes import DirectRoutes
from redcore._transport.errors import closed, our_errors
from redcore._transport.lifecycle import Owner
from redcore._transport.per_loop import PerLoop, running_loop
from redcore._transport.protocols import AsyncTransport
from redcore._transport.slots_async import is_taken, take
from redcore._transport.streamed_response import AsyncStreamedResponse
from redcore._transport.timeouts import TimeLimits
from redcore._transport.tls import Tls
from redcore._wire.encoding import Request


@attrs.frozen(eq=False)
class LoopConnections:
    """The connections of one event loop."""

    routes: DirectRoutes[AsyncConnection]
    slots: anyio.Semaphore

    async def aclose(self) -> None:
        """Close idle connections; those in use close when their calls end."""
        close_all(self.routes.idle())
        await asyncio.sleep(0)  # in which the loop closes them


class AsyncDirectTransport(Owner):
    """Sends requests over its own connections; see `AsyncTransport`."""

    close_with = "make it with `async with AsyncClient(...) as client:`, or call `await client.aclose()`"

    def __init__(self) -> None:
        super().__init__()
        self._tls = Tls()
        self._others = AsyncDeferredTransport(open_pool)
        self._pools: PerLoop[LoopConnections] = PerLoop(LoopConnections.aclose)

    async def _pool(self) -> LoopConnections:
        self.use()
        slots = anyio.Semaphore(MAX_CONNECTIONS, max_value=MAX_CONNECTIONS, fast_acquire=True)
        connect = partial(AsyncConnection, tls=self._tls, buffer=memoryview(bytearray(READ_BYTES)))
        return await self._pools.keep(LoopConnections(DirectRoutes(connect), slots))

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        if self.closed:
            raise closed()
        ends_at = monotonic() + timeout_s
        limits = TimeLimits(timeout_s, ends_at)
        with our_errors(timeout_s, DIRECT):
            pool = self._pools.here()
            if pool is None:
                if not isinstance(running_loop(), asyncio.AbstractEventLoop):
                    return await self._others.send(request, timeout_s)
                pool = await self._pool()
            origin, target = split(request.url)
            route = pool.routes.to(origin)
            if route is None:
                return await self._others.send(request, timeout_s)
            data = whole(request, route.to, target, ACCEPT_ENCODING)
            if not is_taken(pool.slots):
                await take(pool.slots, limits)
            try:
                connection = fresh(route)
                try:
                    await connection.begin(request.method, limits)
                    response = await connection.exchange(data, limits, ends_at)
                except BaseException:
                    connection.close()
                    raise
                self._keep(connection, route)
                return response
            finally:
                pool.slots.release()

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        if self.closed:
            raise closed()
        limits = TimeLimits.begin(silence_s, ends_in_s)
        with our_errors(silence_s, DIRECT, limits.late):
            pool = self._pools.here()
            if pool is None:
                if not isinstance(running_loop(), asyncio.AbstractEventLoop):
                    return await self._others.stream(request, silence_s, ends_in_s)
                pool = await self._pool()
            origin, target = split(request.url)
            route = pool.routes.to(origin)
            if route is None:
                return await self._others.stream(request, silence_s, ends_in_s)
            if not is_taken(pool.slots):
                await take(pool.slots, limits)
            try:
                connection = fresh(route)
            except BaseException:
                pool.slots.release()
                raise
            end = partial(self._end, connection, route, pool.slots)
            try:
                async with asyncio.timeout(limits.left_s()):  # the application's own chunks may take long
                    await connection.begin(request.method, limits)
                    await connection.send(async_pieces(request, route.to, target), limits)
                    await connection.head(limits)
                reader, body = connection.reader, StreamedBody(connection, limits)
                return AsyncStreamedResponse(
                    reader.status, reader.headers, body, limits=limits, foreign=DIRECT, end=end
                )
            except BaseException:
                await end(False)  # noqa: FBT003 (as `AsyncStreamedResponse` calls it)
                raise

    async def _end(
        self,
        connection: AsyncConnection,
        route: Route[AsyncConnection],
        slots: anyio.Semaphore,
        whole: bool,  # noqa: FBT001 (as `AsyncStreamedResponse` calls it)
    ) -> None:
        """Keep a connection whose response was read completely, or close it."""
        try:
            if whole:
                self._keep(connection, route)
            else:
                connection.close()
        finally:
            slots.release()

    def _keep(self, connection: AsyncConnection, route: Route[AsyncConnection]) -> None:
        if (spent := route.put(connection)) is not None:
            spent.close()
        if self.closed:  # meanwhile
            close_all(route)

    async def aclose(self) -> None:
        """Send no more, and close the connections; a second time does nothing."""
        self.closed = True
        await self._pools.drop()
        await self._others.aclose()

    def closer(self) -> Callable[[], None]:
        """What lets the event loops close the connections."""
        return self._pools.let_go

    def begin_anew(self) -> None:
        """Leave the parent's connections alone."""
        self._pools.abandon()
        self._others.begin_anew()


def open_pool() -> AsyncTransport:
    """Make the transport for trio, and for origins behind a proxy."""
    from redcore._transport.pool_async import AsyncPoolTransport  # noqa: PLC0415 (it imports httpcore and httpx)

    return AsyncPoolTransport()


def fresh(route: Route[AsyncConnection]) -> AsyncConnection:
    """Return a working idle connection, or a new one."""
    connection = route.take()
    while connection.has_expired():
        connection.close()
        connection = route.take()
    return connection


def close_all(connections: Iterable[AsyncConnection]) -> None:
    """Close connections."""
    for connection in connections:
        connection.close()
