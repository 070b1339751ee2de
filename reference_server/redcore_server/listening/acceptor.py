"""Accepts connections, and logs why if it cannot; libuv's own server closes them silently.

With TLS on, plain connections are accepted on the same port, so that clients using plain HTTP can be redirected. A TLS
connection begins with the byte of a handshake record (RFC 8446 section 5.1), which no HTTP request does. The byte is
peeked at, not consumed.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Final

import attrs
import structlog

_HANDSHAKE: Final = b"\x16"
_OUT_OF_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = structlog.stdlib.get_logger("redcore_server.gateway")


@attrs.frozen(kw_only=True)
class Acceptor:
    """Accepts connections until closed; implements what uvicorn needs of an `asyncio.Server`.

    Attributes:
        listener: A non-blocking listening socket.
        context: TLS context; None accepts plain connections only.
        secure: Makes the protocol of a TLS connection.
        plain: Makes the protocol of a plain connection.
        client_s: Seconds that a client may take for its first byte, and for its handshake.
        pause_s: Seconds between attempts to accept while this process is out of descriptors.
    """

    listener: socket.socket
    context: ssl.SSLContext | None
    secure: Callable[[], asyncio.Protocol]
    plain: Callable[[], asyncio.Protocol]
    client_s: float
    pause_s: float = 1.0
    _tasks: set[asyncio.Task[None]] = attrs.field(init=False, factory=set[asyncio.Task[None]])

    def open(self) -> None:
        """Start accepting."""
        self.listener.settimeout(0)
        self._start(self._accept())

    def close(self) -> None:
        """Stop accepting; open connections stay open."""
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until accepting has stopped."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self.listener)
            except OSError as error:
                if error.errno not in _OUT_OF_DESCRIPTORS:  # a client that disconnected at once
                    continue
                _log.error("no connection can be accepted", problem=str(error))
                await asyncio.sleep(self.pause_s)
                continue
            self._start(self._connect(connection))

    async def _connect(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self.context is not None and await self._is_secure(connection):
                await loop.connect_accepted_socket(
                    self.secure, connection, ssl=self.context, ssl_handshake_timeout=self.client_s
                )
            else:
                await loop.connect_accepted_socket(self.plain, connection)
        except (OSError, TimeoutError):  # disconnected, silent or failed handshake: there is no client to answer
            connection.close()
        except BaseException:
            connection.close()
            raise

    async def _is_secure(self, connection: socket.socket) -> bool:
        async with asyncio.timeout(self.client_s):
            return await first_byte(connection) == _HANDSHAKE


async def first_byte(connection: socket.socket) -> bytes:
    """Return the first byte that arrives without consuming it; empty if the peer closes.

    Args:
        connection: A non-blocking socket.
    """
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, _settle, readable)
    try:
        await readable
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
