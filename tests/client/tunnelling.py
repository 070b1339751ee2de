"""Real proxies on the loopback interface: CONNECT tunnels, plain or encrypted, and SOCKS 5."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import attrs
from tests.client.loopback import read


@attrs.define
class _Proxy:
    """Accepts connections, and relays the valid ones; each in threads of its own.

    Args:
        login: User name and password that it asks for.
        tls: Encrypts the connections to it; None leaves them plain.
    """

    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    asked: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])
    """The targets of the requests."""
    seen: list[bytes] = attrs.field(factory=list[bytes])
    """The bytes that passed through it to the targets."""
    passes: threading.Event = attrs.field(factory=threading.Event)
    """While it is not set, bytes from the targets are held back, to arrive at once."""
    _open: list[socket.socket] = attrs.field(factory=list[socket.socket])
    _listener: socket.socket = attrs.field(factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self.passes.set()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            target = self.negotiated(connection)
            if target is None:
                connection.close()
                return
            threading.Thread(target=self._back, args=(target, connection), daemon=True).start()
            relay(connection.recv, target, self.seen.append)
            ended(connection, target)

    def _back(self, target: socket.socket, connection: socket.socket) -> None:
        def received(size: int) -> bytes:
            data = target.recv(size)
            if data and not self.passes.is_set():
                self.passes.wait(30)
                with suppress(BlockingIOError):
                    data += target.recv(size, socket.MSG_DONTWAIT)
            return data

        relay(received, connection)
        ended(connection, target)

    def negotiated(self, connection: socket.socket) -> socket.socket | None:
        """Return the connection to the target; None if the request was refused."""
        raise NotImplementedError

    def connected(self, host: str, port: int) -> socket.socket:
        """Connect to a target; names that end in `.test` resolve to the loopback interface."""
        self.asked.append((host, port))
        target = socket.create_connection(("127.0.0.1" if host.endswith(".test") else host, port))
        self._open.append(target)
        return target


def relay(received: Callable[[int], bytes], target: socket.socket, note: Callable[[bytes], object] = id) -> None:
    """Pass bytes on until one side ends."""
    with suppress(OSError):
        while data := received(2**16):
            note(data)
            target.sendall(data)


def ended(*sides: socket.socket) -> None:
    """Close connections."""
    for each in sides:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


class ConnectProxy(_Proxy):
    """An HTTP proxy, which opens tunnels."""

    def negotiated(self, connection: socket.socket) -> socket.socket | None:
        """Read `CONNECT host:port`."""
        stream = connection.makefile("rb")
        seen = read(stream)
        if seen is None:
            return None
        if self.login is not None:
            expected = f"Basic {b64encode(':'.join(self.login).encode()).decode()}"
            if seen.headers.get("proxy-authorization") != expected:
                asks = b"Proxy-Authenticate: Basic realm=proxy\r\nContent-Length: 0\r\n\r\n"
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n" + asks)
                return None
        host, _, port = seen.path.rpartition(":")
        target = self.connected(host.strip("[]"), int(port))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return target


class SocksProxy(_Proxy):
    """A proxy that speaks SOCKS 5 (RFC 1928), with a login if it has one (RFC 1929)."""

    def negotiated(self, connection: socket.socket) -> socket.socket | None:
        """Read the methods, the login, and the target."""
        stream = connection.makefile("rb")
        _, count = stream.read(2)
        offered = stream.read(count)
        wanted = 0 if self.login is None else 2
        if wanted not in offered:
            connection.sendall(b"\x05\xff")
            return None
        connection.sendall(bytes((5, wanted)))
        if self.login is not None:
            login = tuple(stream.read((stream.read(skip) or b"\0")[-1]).decode() for skip in (2, 1))
            connection.sendall(b"\x01\x00" if login == self.login else b"\x01\x01")
            if login != self.login:
                return None
        kind = stream.read(4)[3]
        if kind == 3:  # a name
            host = stream.read(stream.read(1)[0]).decode()
        else:
            host = str(ipaddress.ip_address(stream.read(4 if kind == 1 else 16)))
        target = self.connected(host, int.from_bytes(stream.read(2), "big"))
        connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        return target
