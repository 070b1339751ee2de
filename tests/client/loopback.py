"""A real HTTP server on the loopback interface that answers as a test says, down to the bytes.

`server.answer` is a function from a request to a `Reply`, or to a function that gets the socket and may do anything
with it: drip, stall, reset. Each connection has its own thread; every request is recorded in `server.seen`.
"""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, Self
from urllib.parse import parse_qsl

import attrs
import pytest
from tests.answers import META, USER

if sys.platform == "linux":
    import fcntl
    import termios

TIMES_S = (0.1, 1.0, 10.0)
"""Time-outs to test with: the first is enough, unless the machine is too busy to send a request within it."""


@attrs.frozen
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))


@attrs.frozen
class Reply:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def encode(self) -> bytes:
        """Return the bytes of the answer."""
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Any", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


Raw = Callable[[socket.socket], None]
Answer = Callable[[Seen], Reply | Raw]


def reply(payload: object, status: int = 200, **headers: str) -> Reply:
    """Make a JSON answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(payload).encode(), {"Content-Type": "application/json", **named})


def user(**changes: Any) -> Reply:
    """Make a success: one user."""
    return reply({"data": {**USER, **changes}, "meta": META})


def stored(content: bytes, **changes: Any) -> Reply:
    """Make the answer to an upload of this content."""
    sha256 = hashlib.sha256(content).hexdigest()
    described = {"id": "file_1", "name": "a", "content_type": "b", "size": len(content), "sha256": sha256}
    return reply({"data": {**described, "created_at": "2026-01-01T00:00:00Z", **changes}, "meta": META}, 201)


def refusal(status: int, code: str = "ANY_CODE", message: str = "no", **headers: str) -> Reply:
    """Make an error envelope."""
    return reply({"error": {"code": code, "message": message, "docs": "", "details": []}}, status, **headers)


def pair(number: int, **more: Any) -> Reply:
    """Make the n-th answer of the token endpoint."""
    fields = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}"}
    return reply({**fields, "token_type": "Bearer", "expires_in": 3600, **more})


def reset(connection: socket.socket) -> None:
    """Break the connection as a crashing server does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def delivered(connection: socket.socket) -> None:
    """Wait until the client has received what was sent: on a busy machine even the loopback interface takes time.

    A client that resets the connection before it acknowledges everything never will.
    """
    if sys.platform == "linux":
        while any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))) and not is_closed(connection):
            time.sleep(0.001)


def is_closed(connection: socket.socket) -> bool:
    """Whether a connection has ended, such as by a reset, though its socket is open (Linux)."""
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)  # the first field of tcp_info
    return state == b"\x07"  # TCP_CLOSE of the kernel's tcp_states.h


class Loopback:
    """The server; use it as a context manager.

    Args:
        tls: Encrypts its connections; None leaves them plain.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.seen: list[Seen] = []
        self.answer: Answer = lambda _: user()
        self.gone = threading.Event()
        self.accepted = 0
        self.cut_next = False  # whether to hang up when part of the next body has arrived
        self.refuse_next: Reply | None = (
            None  # what to answer at once, to hang up when half of the next body has arrived
        )
        self.ended = threading.Semaphore(0)  # released once for each connection that has ended
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._connections: list[socket.socket] = []
        self._encrypted: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self.base_url = f"{self.origin}/v1"

    def script(self, *answers: Reply | Raw) -> None:
        """Answer with these, in order."""
        left = list(answers)
        self.answer = lambda _: left.pop(0)

    def asked(self, path: str) -> list[Seen]:
        """Return the requests for a path."""
        return [seen for seen in self.seen if seen.path == path]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gone.set()
        for open_socket in [self._listener, *self._connections]:
            with suppress(OSError):  # closed by the other side, or by the answer itself
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
        for encrypted in self._encrypted:  # which their threads close
            with suppress(OSError):
                socket.socket.shutdown(encrypted, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60.0)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._connections.append(connection)
                self._threads.append(thread)
                self.accepted += 1
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):  # a handshake that failed
                # As real servers do: if an acknowledgement were awaited first, a reset would discard the answer.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                    self._encrypted.append(connection)
                self._answer_all(connection)
        finally:
            self.ended.release()

    def _answer_all(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while (seen := read(stream, whole=not self.cut_next and self.refuse_next is None)) is not None:
                self.seen.append(seen)
                if self.refuse_next is not None:
                    refused, self.refuse_next = self.refuse_next, None
                    connection.sendall(refused.encode())
                    stream.read(int(seen.headers["content-length"]) // 2)
                    return reset(connection)
                if self.cut_next:
                    self.cut_next = False
                    return reset(connection)
                answer = self.answer(seen)
                if isinstance(answer, Reply):
                    connection.sendall(answer.encode())
                else:
                    return answer(connection)
        return None


def read(stream: BinaryIO, *, whole: bool = True) -> Seen | None:
    """Read the next request of a connection, whole or with the first part of its body; None at the end."""
    if b" HTTP/1." not in (line := stream.readline()):  # also if it is not HTTP, such as a TLS greeting
        return None
    method, path, _ = line.decode("latin-1").split()
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if not whole:
        return Seen(method, path, headers, stream.read(1000))
    if "chunked" in headers.get("transfer-encoding", ""):
        return Seen(method, path, headers, b"".join(iter(lambda: chunk(stream), b"")))
    return Seen(method, path, headers, stream.read(int(headers.get("content-length", "0"))))


def chunk(stream: BinaryIO) -> bytes:
    """Read the next chunk of a chunked body; empty at its end."""
    size = stream.readline()
    if not size:
        raise ConnectionError("the body broke off")
    data = stream.read(int(size, 16))
    stream.readline()
    return data


def names_asked_for(monkeypatch: pytest.MonkeyPatch, server: Loopback) -> list[str]:
    """Let every name lead to a server; returns the names, as far as they were looked up."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]
    asked: list[str] = []

    def resolve(host: str, *_: object) -> list[Any]:
        asked.append(host)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked
