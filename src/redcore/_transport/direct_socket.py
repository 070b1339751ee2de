"""One connection for blocking code: a non-blocking socket, polled until the deadline of the attempt.

Waits use `poll`, which Ctrl-C interrupts immediately and gevent patches.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterable

from redcore._base.clock import monotonic, uptime
from redcore._base.signal_handlers import let_through
from redcore._transport.address import Address
from redcore._transport.connecting import connect
from redcore._transport.connections import SPARE_S
from redcore._transport.direct_parser import AnswerReader
from redcore._transport.timeouts import TimeLimits
from redcore._transport.tls import Tls, name_in_certificate

READ_BYTES = 64 * 1024  # of one read, as in httpcore
EARLY_BYTES = 256 * 1024  # of a response that begins during the request; the rest stays in the socket until it is sent
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Readiness:
    """Waits for a socket, with `poll` if available, as `select` supports only the first 1,024 descriptors."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._poll = select.poll() if hasattr(select, "poll") else None  # not on Windows, nor under eventlet
        if self._poll is not None:
            self._poll.register(sock, select.POLLIN)

    def is_readable(self, wait_s: float = 0.0) -> bool:
        """Whether bytes or the end of the connection arrive in time."""
        if self._poll is not None:
            return bool(self._poll.poll(wait_s * 1000))
        return bool(select.select([self._sock], [], [], wait_s)[0])

    def wait_to_write(self, wait_s: float, *, or_read: bool) -> bool:
        """Wait until the socket is writable, or readable if that is asked for; returns whether it is readable.

        Raises:
            TimeoutError: neither happens in time.
        """
        if self._poll is None:
            ready = select.select([self._sock] if or_read else [], [self._sock], [], wait_s)
            readable, any_ready = bool(ready[0]), bool(ready[0] or ready[1])
        else:
            both = select.poll()
            both.register(self._sock, select.POLLIN | select.POLLOUT if or_read else select.POLLOUT)
            events = both.poll(wait_s * 1000)
            readable, any_ready = any(event & ~select.POLLOUT for _, event in events), bool(events)
        if not any_ready:
            raise TimeoutError
        return readable


class BlockingConnection:
    """A connection to an origin, which opens with the first exchange.

    Args:
        where: The origin.
        tls: Encrypts the connection, if the origin's scheme is https.
    """

    _sock: socket.socket
    _readiness: Readiness

    def __init__(self, where: Address, tls: Tls) -> None:
        self.reader = AnswerReader()
        self.is_open = False
        self._where = where
        self._tls = tls
        self._sent_all = False
        self._early_bytes = 0
        self._has_ended = False
        self._broken_by: OSError | None = None
        self._expires_at = 0.0

    def _open(self, limits: TimeLimits) -> None:
        where = self._where
        ends_at = monotonic() + limits.wait_s()
        sock = connect(where.host, where.port, ends_at)
        try:
            if where.scheme == "https":
                sock.settimeout(limits.wait_s())
                # A connection closed without a TLS close_notify may be truncated: it must not complete a response.
                sock = self._tls.now().wrap_socket(
                    sock,
                    server_hostname=name_in_certificate(where.host),
                    suppress_ragged_eofs=False,
                    do_handshake_on_connect=False,
                )
                sock.do_handshake()  # apart from `wrap_socket`, which leaves the socket open when Ctrl-C ends it
                sock.setblocking(False)  # noqa: FBT003 (of the socket)
            self._readiness = Readiness(sock)
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        self.is_open = True

    def begin(self, method: str, limits: TimeLimits) -> None:
        """Begin an exchange, if need be by connecting.

        Raises:
            TimeoutError: it takes too long.
            OSError: the server cannot be reached, or its certificate is not trusted.
        """
        if not self.is_open:
            self._open(limits)
        self.reader.begin(method)
        self._sent_all = False
        self._early_bytes = 0

    def send(self, pieces: Iterable[bytes], limits: TimeLimits) -> None:
        """Send a request; stops if the server has responded or closed the connection, and then reads its response.

        Raises:
            TimeoutError: the server takes nothing for too long.
            BrokenAnswer: the server sent an invalid response.
        """
        for number, piece in enumerate(pieces):
            if (number and self._readiness.is_readable() and self._takes_no_more()) or not self._write(piece, limits):
                return
        self._sent_all = True

    def _takes_no_more(self) -> bool:
        """Receive what the server sends early; returns whether it has refused the request, or ended the connection."""
        if self._early_bytes < EARLY_BYTES:
            self._early_bytes += self._receive()
        return self.reader.refuses or self._has_ended

    def _write(self, data: bytes, limits: TimeLimits) -> bool:
        """Send bytes; returns whether the server accepts more."""
        view = memoryview(data)
        while view:
            try:
                view = view[self._sock.send(view) :]
            except NOT_NOW:
                or_read = self._early_bytes < EARLY_BYTES
                if self._readiness.wait_to_write(limits.wait_s(), or_read=or_read) and self._takes_no_more():
                    return False
            except OSError as problem:
                let_through(problem)
                self._broken_by = problem
                return False
        return True

    def piece(self, limits: TimeLimits) -> bytes:
        """Return the next bytes of the body; empty at its end. Raises as `read` does."""
        while not (pieces := self.reader.take()):
            if self.reader.complete:
                return b""
            self.read(limits)
        return b"".join(pieces)

    def read(self, limits: TimeLimits) -> None:
        """Wait for bytes of the response, and parse them.

        Raises:
            TimeoutError: no bytes arrive for too long.
            BrokenAnswer: they are not a valid response, or the connection closed before the response was complete.
            OSError: the connection broke.
        """
        if not self._readiness.is_readable(limits.wait_s()):
            raise TimeoutError
        self._receive()

    def _receive(self) -> int:
        """Receive and parse bytes; returns how many."""
        try:
            data = self._sock.recv(READ_BYTES)
        except NOT_NOW:  # a part of a TLS record
            return 0
        if data:
            self.reader.feed(data)
        elif self._broken_by is not None and not self.reader.status:
            raise self._broken_by
        else:
            self.reader.end()
            self._has_ended = True
        return len(data)

    def is_idle(self) -> bool:
        """Whether it can take another request, which starts the time that it is kept."""
        self._expires_at = uptime() + SPARE_S
        return self.is_open and self._sent_all and self.reader.reusable

    def has_expired(self) -> bool:
        """Whether it was idle for too long, was closed, or has received unsolicited data."""
        return self.is_open and (uptime() > self._expires_at or self._readiness.is_readable())

    def close(self) -> None:
        """Close the connection at once, without TLS's farewell, which a server may never answer."""
        if self.is_open:
            self.is_open = False
            self._sock.close()
