"""A network backend for httpcore on asyncio's own streams, which uses less CPU than anyio's.

Its timeouts apply to streamed transfers only: everything else is limited by one cancel scope per attempt.
"""

from __future__ import annotations

import asyncio
import math
import select
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from redcore._base.clock import monotonic
from redcore._transport.connecting import connect_async, give_up
from redcore._transport.errors import BY_LOOPS
from redcore._transport.tls import name_in_certificate


class Reader(asyncio.StreamReader):
    """Keeps data received before the connection broke: a server that rejects a body responds first, then closes."""

    broken_by: Exception | None = None
    unread: int = 0
    """Received bytes that have not been read yet."""

    def feed_data(self, data: Any) -> None:
        """Buffer received bytes."""
        self.unread += len(data)
        super().feed_data(data)

    def set_exception(self, exc: Exception) -> None:
        """Record that the connection broke; asyncio's own class would discard unread data."""
        self.broken_by = exc
        self.feed_eof()


class LoopStream(httpcore.AsyncNetworkStream):
    """A connection."""

    def __init__(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._closed = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 (as httpcore calls it)
        """Return received bytes; empty at the end."""
        if self._closed:
            raise httpcore.ReadError("the connection is closed")
        if timeout is None:  # which saves a timer
            data = await self._reader.read(max_bytes)
        else:
            async with asyncio.timeout(timeout):
                data = await self._reader.read(max_bytes)
        self._reader.unread -= len(data)
        if not data and self._reader.broken_by is not None:
            raise self._reader.broken_by
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 (as httpcore calls it)
        """Send bytes."""
        if not buffer:
            return
        if self._writer.is_closing():
            raise httpcore.WriteError("the connection is closed")
        try:
            self._writer.write(buffer)
            if timeout is None:
                await self._writer.drain()
                return
            async with asyncio.timeout(timeout):
                await self._writer.drain()
        except TimeoutError:  # which is an OSError
            raise
        except BY_LOOPS as problem:  # httpcore then reads the response of the server, if there is one
            raise httpcore.WriteError(str(problem)) from problem

    async def aclose(self) -> None:
        """Close the connection immediately, without the TLS closing handshake, which a server may never answer."""
        self._closed = True
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt the connection."""
        try:
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=name_in_certificate(server_hostname))
        except RuntimeError as problem:
            await self.aclose()
            raise httpcore.ConnectError(str(problem)) from problem
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return information about the connection."""
        if info == "is_readable":
            return self._reader.unread > 0 or self._writer.is_closing() or is_readable(self._writer.transport)
        return self._writer.get_extra_info(info)


class LoopBackend(httpcore.AsyncNetworkBackend):
    """Opens connections in asyncio's event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
        local_address: str | None = None,  # noqa: ARG002 (we ask for none)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 (we ask for none)
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        loop = asyncio.get_running_loop()
        reader = Reader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        sock = await connect_async(host, port, math.inf if timeout is None else monotonic() + timeout)
        try:
            transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
        except BaseException:
            give_up(sock, loop)
            raise
        return LoopStream(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


def is_readable(transport: asyncio.BaseTransport | None) -> bool:
    """Whether the socket has unread data; on an idle connection, this means that it was closed."""
    sock: Any = None if transport is None else transport.get_extra_info("socket")
    if sock is None:  # the connection has ended
        return True
    poll = getattr(select, "poll", None)
    if poll is None:  # Windows
        return bool(select.select([sock.fileno()], [], [], 0)[0])
    poller = poll()
    poller.register(sock.fileno(), select.POLLIN)
    return bool(poller.poll(0))
