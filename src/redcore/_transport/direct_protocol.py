"""One connection in an asyncio event loop: a protocol that parses responses as they arrive and wakes the waiting task.

States: new -> open -> lost. While it is open, exchanges follow one another; data that arrives between them closes it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self, cast

from redcore._base.clock import monotonic, uptime
from redcore._base.response import Response
from redcore._transport.address import Address
from redcore._transport.connecting import connect_async, give_up
from redcore._transport.connections import SPARE_S
from redcore._transport.direct_parser import AnswerReader, BrokenAnswer, WholeAnswer
from redcore._transport.direct_socket import Readiness
from redcore._transport.timeouts import TimeLimits
from redcore._transport.tls import Tls, name_in_certificate

READ_BYTES = 256 * 1024  # as asyncio allocates anew for each read of other protocols, at a quarter of a call's cost
HELD_BYTES = READ_BYTES  # reading pauses above it until the body is consumed


class AsyncConnection(asyncio.BufferedProtocol):
    """A connection to an origin, opened by the first exchange.

    Args:
        where: The origin.
        tls: Encrypts the connection if the origin's scheme is https.
        buffer: Receives bytes until they are parsed, which is at once, so that the connections of a loop can share it.
    """

    _loop: asyncio.AbstractEventLoop
    _transport: asyncio.Transport
    _readiness: Readiness

    def __init__(self, where: Address, tls: Tls, buffer: memoryview) -> None:
        self.reader = AnswerReader()
        self._where = where
        self._tls = tls
        self._buffer = buffer
        self._is_open = False
        self._in_use = False
        self._answer: WholeAnswer | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._problem: Exception | None = None
        self._bad_answer: Exception | None = None
        self._held = 0
        self._may_write = True
        self._sent_all = False
        self._expires_at = 0.0

    # Exchanges -----------------------------------------------------------------------------------

    async def begin(self, method: str, limits: TimeLimits) -> None:
        """Begin an exchange, connecting first if necessary.

        Raises:
            TimeoutError: connecting takes too long.
            OSError: the server cannot be reached, or its certificate is not trusted.
        """
        if not self._is_open:
            async with asyncio.timeout(limits.wait_s()):
                await self._open(limits)
        self.reader.begin(method)
        self._answer = None
        self._in_use = True
        self._sent_all = False

    async def _open(self, limits: TimeLimits) -> None:
        where, is_tls = self._where, self._where.scheme == "https"
        self._loop = asyncio.get_running_loop()
        ends_at = monotonic() + limits.wait_s()
        sock = await connect_async(where.host, where.port, ends_at)
        try:
            await self._loop.create_connection(
                lambda: self,
                sock=sock,
                ssl=self._tls.now() if is_tls else None,
                server_hostname=name_in_certificate(where.host) if is_tls else None,
            )
        except BaseException:
            if self._is_open:
                self._transport.abort()  # the loop itself would wait for TLS's farewell
            give_up(sock, self._loop)
            raise

    async def exchange(self, data: bytes, limits: TimeLimits, ends_at: float) -> Response:
        """Send a whole request and read the whole response.

        Raises:
            TimeoutError: that took too long.
            ResponseError: the body is too large, or not compressed as the headers say.
            BrokenAnswer, OSError: the server or the network broke off.
        """
        self._answer = answer = WholeAnswer(self.reader, ends_at)
        if not self._transport.is_closing():  # to write then is a RuntimeError of uvloop
            self._transport.write(data)
        while not self.reader.complete:
            await self._change(limits)
        if self._bad_answer is not None:
            raise self._bad_answer
        self._sent_all = not self._transport.get_write_buffer_size()
        return answer.response()

    async def send(self, pieces: AsyncGenerator[bytes], limits: TimeLimits) -> None:
        """Send a request; stops if the server has already responded or closed the connection.

        Raises:
            TimeoutError: the server accepts no data for too long.
        """
        async with aclosing(pieces):
            async for piece in pieces:
                if self._readiness.is_readable():
                    await read_first()
                if self._takes_no_more():
                    return
                self._transport.write(piece)
                while not self._may_write and not self._takes_no_more():
                    await self._change(limits)
        self._sent_all = True

    def _takes_no_more(self) -> bool:
        """Whether the server has responded before the request was sent completely, or closed the connection."""
        return self.reader.refuses or self._transport.is_closing()

    async def head(self, limits: TimeLimits) -> None:
        """Wait for the head of the response.

        Raises:
            TimeoutError: no data arrives for too long.
            BrokenAnswer, OSError: the server or the network broke off.
        """
        while not self.reader.status:
            await self._change(limits)

    async def piece(self, limits: TimeLimits) -> bytes:
        """Return the next bytes of the body; empty at its end. Raises as `head` does."""
        while not (pieces := self.reader.take()) and not self.reader.complete:
            await self._change(limits)
        if self._held > HELD_BYTES and not self._transport.is_closing():
            self._transport.resume_reading()
        self._held = 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _change(self, limits: TimeLimits) -> None:
        """Wait until the state has changed."""
        if self._problem is not None:
            raise self._problem
        self._waiter = waiter = self._loop.create_future()
        timer = self._loop.call_later(limits.wait_s(), late, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    # Between exchanges ---------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Whether it can be used for another request; starts its idle time."""
        self._in_use = False
        self._expires_at = uptime() + SPARE_S
        return self._sent_all and self.reader.reusable and self._problem is None

    def has_expired(self) -> bool:
        """Whether it was idle for too long, was closed, or has received unsolicited data."""
        if not self._is_open:
            return False
        return self._transport.is_closing() or uptime() > self._expires_at or self._readiness.is_readable()

    def close(self) -> None:
        """Close the connection at once, without TLS's farewell, which a server may never answer."""
        self._problem = self._problem or ConnectionError("the connection is closed")
        if self._is_open:
            self._transport.abort()

    # Called by the event loop --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the open connection."""
        self._is_open = True
        self._transport = cast("asyncio.Transport", transport)
        self._readiness = Readiness(transport.get_extra_info("socket"))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (of the superclass)
        """Return where to put the next bytes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Parse bytes of the response."""
        if not self._in_use:
            self.close()
            return
        try:
            self.reader.feed(self._buffer[:nbytes])
            if self._answer is not None and not self._answer.collect():
                return
        except Exception as problem:  # noqa: BLE001 (raised where the answer is awaited)
            self._problem = self._bad_answer = problem
            self._transport.abort()
        if self._answer is None and not self._transport.is_closing():  # to pause then is a RuntimeError of uvloop
            self._hold(nbytes)
        self._wake()

    def _hold(self, size: int) -> None:
        if self._held <= HELD_BYTES < self._held + size:
            self._transport.pause_reading()
        self._held += size

    def eof_received(self) -> None:
        """Record that the server closed the connection properly, which TLS distinguishes from a broken connection."""
        if self._in_use and said_farewell(self._transport):
            try:
                self.reader.end()
            except BrokenAnswer as problem:
                self._problem = problem
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record that the connection is lost."""
        self._problem = self._problem or exc or BrokenAnswer("the connection ended before the answer did")
        self._wake()

    def pause_writing(self) -> None:
        """Pause writing: the send buffer is full."""
        self._may_write = False

    def resume_writing(self) -> None:
        """Resume writing: the send buffer has room."""
        self._may_write = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class StreamedBody:
    """The body of a response, which can be iterated once."""

    def __init__(self, connection: AsyncConnection, limits: TimeLimits) -> None:
        self._connection = connection
        self._limits = limits

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if piece := await self._connection.piece(self._limits):
            return piece
        raise StopAsyncIteration


async def read_first() -> None:
    """Let the event loop read what has arrived, before a write finds the connection broken and discards it."""
    for _ in range(2):  # in the first iteration this task comes before what is readable
        await asyncio.sleep(0)


def said_farewell(transport: asyncio.Transport) -> bool:
    """Whether the server has closed TLS properly, if TLS is used; asyncio reports a broken connection the same way."""
    encrypted: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    try:
        return encrypted is None or not encrypted.read(1)
    except ssl.SSLZeroReturnError:  # like the empty read, after we have closed TLS too
        return True
    except ssl.SSLError:  # SSLWantReadError: more data may follow
        return False


def late(waiter: asyncio.Future[None]) -> None:
    """End a wait that takes too long."""
    if not waiter.done():
        waiter.set_exception(TimeoutError())
