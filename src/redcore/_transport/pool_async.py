"""The twin of `pool` for asyncio and trio: one pool of connections for each event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import ClassVar

import anyio
import attrs
import httpcore

from redcore._base.clock import monotonic
from redcore._base.response import AsyncIncoming, Response
from redcore._transport.address import Address, split
from redcore._transport.asyncio_backend import LoopBackend
from redcore._transport.body_reader import Body
from redcore._transport.connections import MAX_CONNECTIONS, SPARE_S, Route, Routes
from redcore._transport.errors import closed, our_errors
from redcore._transport.httpcore_request import IDENTITY, headers_of, on_the_wire, origin_of
from redcore._transport.httpx_client import run_out
from redcore._transport.lifecycle import Owner
from redcore._transport.per_loop import PerLoop, running_loop
from redcore._transport.pool import HTTPCORE, has_expired, kept, through
from redcore._transport.proxies import Proxy
from redcore._transport.proxy_backend import AsyncProxyBackend
from redcore._transport.slots_async import take
from redcore._transport.streamed_response import AsyncStreamedResponse
from redcore._transport.timeouts import TimeLimits
from redcore._transport.tls import Tls
from redcore._wire.encoding import Request


@attrs.frozen(eq=False)
class LoopPool:
    """The connections of one event loop."""

    routes: Routes[httpcore.AsyncConnectionInterface]
    slots: anyio.Semaphore

    async def aclose(self) -> None:
        """Close idle connections; those in use close when their calls end."""
        await aclose_all(self.routes.spares())


class AsyncPoolTransport(Owner):
    """Sends requests over its own connections, in any event loop; see `AsyncTransport`."""

    name: ClassVar[str | None] = None
    close_with = "make it with `async with AsyncClient(...) as client:`, or call `await client.aclose()`"

    def __init__(self) -> None:
        super().__init__()
        self._tls = Tls()
        self._pools: PerLoop[LoopPool] = PerLoop(LoopPool.aclose)

    async def _pool(self) -> LoopPool:
        self.use()
        routes = Routes(partial(connect_async, self._tls))
        slots = anyio.Semaphore(MAX_CONNECTIONS, max_value=MAX_CONNECTIONS, fast_acquire=True)
        return await self._pools.keep(LoopPool(routes, slots))

    async def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt."""
        if self.closed:
            raise closed()
        ends_at = monotonic() + timeout_s
        limits = TimeLimits(timeout_s, ends_at)
        pool = self._pools.here()
        with our_errors(timeout_s, HTTPCORE) as attempt:
            pool = pool or await self._pool()
            origin, target = split(request.url)
            route = pool.routes.to(origin)
            attempt.is_proxied = route.is_proxied
            sent = on_the_wire(request, route.to, target)
            await take(pool.slots, limits)
            try:
                with anyio.fail_after(limits.left_s()):
                    return await self._exchange(sent, route, ends_at)
            finally:
                pool.slots.release()

    async def _exchange(
        self, request: httpcore.Request, route: Route[httpcore.AsyncConnectionInterface], ends_at: float
    ) -> Response:
        connection = await fresh_async(route)
        pieces: AsyncIterator[bytes] | None = None
        try:
            answer = await connection.handle_async_request(request)
            headers = headers_of(answer)
            body = Body(answer.status, headers.get("content-encoding"), ends_at)
            pieces = answer.aiter_stream()
            async for piece in pieces:
                body.add(piece)
            await answer.aclose()
            content = body.whole()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await give_up(connection, pieces)
            raise
        spent = kept(connection, route, answer)
        if spent is not None:
            await spent.aclose()
        if self.closed:  # meanwhile
            await aclose_all(route)
        return Response(answer.status, headers, content)

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """Make one attempt with a streamed body, up to the header of the response."""
        if self.closed:
            raise closed()
        limits = TimeLimits.begin(silence_s, ends_in_s)
        pool = self._pools.here()
        with our_errors(silence_s, HTTPCORE, limits.late) as attempt:
            pool = pool or await self._pool()
            origin, target = split(request.url)
            route = pool.routes.to(origin)
            attempt.is_proxied = route.is_proxied
            sent = on_the_wire(request, route.to, target, IDENTITY)
            sent.extensions = {"timeout": limits.waits()}
            await take(pool.slots, limits)
            try:
                with anyio.fail_after(limits.left_s()):
                    connection = await fresh_async(route)
            except BaseException:
                pool.slots.release()
                raise
            end = partial(self._end, connection, route, pool.slots)
            try:
                with anyio.fail_after(limits.left_s()):
                    answer = await connection.handle_async_request(sent)
                pieces = answer.aiter_stream()
                return AsyncStreamedResponse(
                    answer.status,
                    headers_of(answer),
                    pieces,
                    limits=limits,
                    foreign=HTTPCORE,
                    end=partial(end, answer, pieces),
                )
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await end(None, None, False)  # noqa: FBT003 (as above)
                raise

    async def _end(  # noqa: PLR0917 (all but the last are bound before)
        self,
        connection: httpcore.AsyncConnectionInterface,
        route: Route[httpcore.AsyncConnectionInterface],
        slots: anyio.Semaphore,
        answer: httpcore.Response | None,
        pieces: AsyncIterator[bytes] | None,
        whole: bool,  # noqa: FBT001 (as `AsyncStreamedResponse` calls it)
    ) -> None:
        """Keep a connection whose response was read completely, or close it, even if cancelled."""
        spent: httpcore.AsyncConnectionInterface | None = connection
        try:
            if answer is not None and whole:
                await answer.aclose()
                spent = kept(connection, route, answer)
        finally:
            slots.release()
            if spent is not None:
                with anyio.CancelScope(shield=True):
                    await give_up(spent, pieces if spent is connection else None)
        if self.closed:  # meanwhile
            await aclose_all(route)

    async def aclose(self) -> None:
        """Close the transport and its connections. Safe to call twice."""
        self.closed = True
        await self._pools.drop()

    def closer(self) -> Callable[[], None]:
        """Return a function that lets the event loops close the connections."""
        return self._pools.let_go

    def begin_anew(self) -> None:
        """Drop inherited connections after fork()."""
        self._pools.abandon()


async def fresh_async(route: Route[httpcore.AsyncConnectionInterface]) -> httpcore.AsyncConnectionInterface:
    """A connection that has not expired."""
    connection = route.take()
    while has_expired(connection):
        await connection.aclose()
        connection = route.take()
    return connection


def connect_async(tls: Tls, proxy: Proxy | None, where: Address) -> httpcore.AsyncConnectionInterface:
    """Like `connect`, for the running event loop."""
    settings = tls.now()
    return httpcore.AsyncConnectionPool(
        ssl_context=settings,
        proxy=through(proxy, settings),
        keepalive_expiry=SPARE_S,
        network_backend=backend_here() if proxy is None else AsyncProxyBackend(backend_here(), proxy),
    ).create_connection(origin_of(where))


async def aclose_all(connections: Iterable[httpcore.AsyncConnectionInterface]) -> None:
    """Close connections, all of them even if cancelled."""
    with anyio.CancelScope(shield=True):
        for connection in connections:
            await connection.aclose()


def backend_here() -> httpcore.AsyncNetworkBackend:
    """Return the network backend for the running event loop."""
    if isinstance(running_loop(), asyncio.AbstractEventLoop):
        return LoopBackend()
    from redcore._transport.trio_backend import TrioBackend  # noqa: PLC0415 (the application runs trio and has it)

    return TrioBackend()


async def give_up(connection: httpcore.AsyncConnectionInterface, pieces: AsyncIterator[bytes] | None) -> None:
    """Close a connection whose response was not read completely."""
    await connection.aclose()
    if pieces is not None:
        await run_out(pieces)
