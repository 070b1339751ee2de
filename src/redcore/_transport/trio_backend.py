"""A network backend for httpcore on trio's own streams; races addresses as for the other event loops."""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import trio
from httpcore._backends.trio import TrioStream  # httpcore has no public stream over a socket

from redcore._base.clock import monotonic
from redcore._transport.connecting import connect_async
from redcore._transport.tls import holds_unread, name_in_certificate


class Readable(trio.abc.Stream):
    """What TLS runs over: it can be read after a write failed, which trio's TLS would rule out.

    A server that rejects a body responds first, then closes.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.transport_stream = stream
        self.broken_by: trio.BrokenResourceError | None = None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, unless the connection is broken."""
        try:
            await self.transport_stream.send_all(data)
        except trio.BrokenResourceError as problem:
            self.broken_by = problem

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until bytes can be sent."""
        await self.transport_stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return received bytes; empty at the end."""
        return await self.transport_stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        """Close the connection."""
        await self.transport_stream.aclose()


class Stream(TrioStream):
    """A connection, which may be encrypted.

    Args:
        stream: Sends and receives.
        sock: What it uses.
        below: What TLS runs over; None without TLS.
    """

    def __init__(self, stream: trio.abc.Stream, sock: trio.socket.SocketType, below: Readable | None = None) -> None:
        super().__init__(stream)
        self._sock = sock
        self._below = below

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 (as httpcore calls it)
        """Send bytes."""
        await super().write(buffer, timeout)
        if self._below is not None and (problem := self._below.broken_by) is not None:
            raise httpcore.WriteError(str(problem)) from problem  # httpcore then reads the response, if there is one

    def get_extra_info(self, info: str) -> Any:
        """Return information about the connection."""
        if info == "is_readable":  # also if TLS has taken data from the socket but not handed it out
            return holds_unread(self._stream) or self._sock.is_readable()
        return super().get_extra_info(info)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, encrypted; closed if the handshake fails or is cancelled."""
        below = Readable(self._stream)
        try:
            encrypted: Any = await TrioStream(below).start_tls(
                ssl_context, name_in_certificate(server_hostname), timeout
            )
        except BaseException:
            await trio.aclose_forcefully(self._stream)
            raise
        return Stream(encrypted._stream, self._sock, below)  # noqa: SLF001 (of the class above)


class TrioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections in trio's event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
        local_address: str | None = None,  # noqa: ARG002 (we ask for none)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 (as above)
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        sock = await connect_async(host, port, math.inf if timeout is None else monotonic() + timeout)
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
        return Stream(stream, stream.socket)
