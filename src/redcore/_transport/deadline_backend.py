"""A network backend for httpcore whose sockets respect the deadline of an attempt, for blocking calls.

httpcore only limits the time between bytes: a server that sends one byte now and then could block a call forever. Here
every read, write and connect gets the remaining time of the attempt. (Async calls use cancel scopes for that.)
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
from httpcore._backends.sync import SyncStream  # httpcore has no public stream over a socket

from redcore._base.clock import monotonic
from redcore._transport.connecting import connect
from redcore._transport.timeouts import left
from redcore._transport.tls import holds_unread, name_in_certificate


class BoundedStream(httpcore.NetworkStream):
    """A connection whose operations respect the deadline of the attempt."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return received bytes."""
        return self._stream.read(max_bytes, left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, left(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        return BoundedStream(self._stream.start_tls(ssl_context, name_in_certificate(server_hostname), left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        if info == "is_readable" and holds_unread(self._stream):
            return True
        return self._stream.get_extra_info(info)


class Socket(SyncStream):
    """A TCP connection that Ctrl-C during a TLS handshake leaves closed: `SSLContext.wrap_socket` leaves it open."""

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        self._sock.settimeout(timeout)
        try:
            sock = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname, do_handshake_on_connect=False)
        except BaseException:
            self.close()
            raise
        try:
            sock.do_handshake()
        except BaseException:
            sock.close()
            raise
        return SyncStream(sock)


class BoundedBackend(httpcore.NetworkBackend):
    """Opens connections whose operations respect the deadline of the attempt."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 (we ask for none)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 (as above)
    ) -> httpcore.NetworkStream:
        """Connect."""
        wait_s = left(timeout)
        ends_at = math.inf if wait_s is None else monotonic() + wait_s
        return BoundedStream(Socket(connect(host, port, ends_at)))
