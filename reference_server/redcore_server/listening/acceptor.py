"""Accepts connections, and logs why where it cannot; libuv's own server closes them and says nothing.

Where TLS is spoken, plain connections are accepted on the same port, so that clients that come by plain HTTP can be
redirected. A TLS connection begins with the byte of a handshake record (RFC 8446 section 5.1), which no HTTP request
does. It is looked at and left where it is.
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
    """Accepts connections until closed; what uvicorn needs of an `asyncio.Server`.

    Attributes:
        listener: Non-blocking.
        context: Of TLS; None accepts plain connections only.
        secure: Makes the protocol of a TLS connection.
        plain: Makes that of another.
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
        """Begin to accept."""
        self.listener.settimeout(0)
        self._start(self._accept())

    def close(self) -> None:
        """Accept no more; connections that are there stay."""
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until nothing is accepted any more."""
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
                if error.errno not in _OUT_OF_DESCRIPTORS:  # one client that was gone again
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
        except (OSError, TimeoutError):  # gone, silent, or no handshake that succeeds: nobody is left to be told
            connection.close()
        except BaseException:
            connection.close()
            raise

    async def _is_secure(self, connection: socket.socket) -> bool:
        async with asyncio.timeout(self.client_s):
            return await first_byte(connection) == _HANDSHAKE


async def first_byte(connection: socket.socket) -> bytes:
    """Return the first byte that arrives, and leave it to be read; nothing if the other side hangs up.

    Args:
        connection: Non-blocking.
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
