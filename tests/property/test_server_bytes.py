"""The law of bytes: whatever arrives on a connection, and however it ends, a call raises only `RedcoreError`.

A real server on the loopback interface sends it, so that the HTTP libraries read it as they would any server's.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.colours import LOOPS, OWN_TRANSPORTS, Awaiting, Blocking, Colour, named
from tests.client.loopback import Loopback, Raw, Reply, pair, read, refusal, user

from redcore import RedcoreError
from redcore.testing import FakeTime

SILENCE_S = 0.02
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n"
VALID = [
    user().encode(),
    pair(2).encode(),
    refusal(429, Retry_After="1", Date="Tue, 24 Nov 2026 10:00:00 GMT", X_RateLimit_Limit="9").encode(),
    Reply(204).encode(),
    Reply(302, headers={"Location": "http://127.0.0.1:1/", "Set-Cookie": "a=b; Path=/"}).encode(),
    Reply(200, gzip.compress(user().body), {"Content-Encoding": "gzip"}).encode(),
    CHUNKED + b"%x;name=value\r\n%b\r\n0\r\nX-End: yes\r\n\r\n" % (len(user().body), user().body),
    b"HTTP/1.1 100 Continue\r\n\r\n" + user().encode(),
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n" + user().body,
]
MARKS = [b"", b"\r\n", b"\n", b"\r\n\r\n", b"\0", b":", b" ", b",", b";", b"-1", b"9" * 30, b"\xff\xfe", b"HTTP/2.0 "]
HEADERS = [
    b"\r\nContent-Length: 3",
    b"\r\nTransfer-Encoding: chunked",
    b"\r\nContent-Encoding: deflate",
    b"\r\nContent-Encoding: br",
    b"\r\nConnection: close",
    b"\r\nLocation: http://[::1",
    b"\r\nSet-Cookie: \xe9=\x80",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a valid answer in which bytes are replaced, removed or inserted, perhaps truncated."""
    data = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.sampled_from(MARKS + HEADERS) | st.binary(max_size=8))
        data = data[:at] + piece + data[at + draw(st.integers(0, 8)) :]
    return data if draw(st.booleans()) else data[: draw(st.integers(0, len(data)))]


answers = damaged() | st.binary(max_size=100) | st.binary(max_size=100).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest)
CALLS: list[Callable[[Any], Any]] = [
    lambda client: client.users.get_me(),
    lambda client: client.files.download("file_1"),
    lambda client: client.auth.jwks(),
    lambda client: client.files.upload(file=b"bytes" * 100, name="a"),
    lambda client: client.users.create(email="ada@example.com", name="Ada"),
]


def saying(pieces: list[bytes], *, hangs_up: bool) -> Raw:
    """Send these, one for each piece of a request that arrives; then hang up, or be silent until the client does."""

    def answer(connection: socket.socket) -> None:
        for data in pieces:
            connection.sendall(data)
            if not hangs_up and not connection.recv(2**16):
                return

    return answer


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


@pytest.fixture(scope="module", params=OWN_TRANSPORTS, ids=named)
def call(request: pytest.FixtureRequest) -> Iterator[Colour]:
    name, over = request.param
    if name == "sync":
        yield Blocking(over)
        return
    with start_blocking_portal(*LOOPS[name]) as portal:
        yield Awaiting(name, portal, over)


@pytest.fixture(scope="module")
def clients(call: Colour, server: Loopback) -> Iterator[list[Any]]:
    """Clients: one with an API key, and one that needs a token first."""
    options = {"base_url": server.base_url, "auth_url": server.origin, "timeout": SILENCE_S, "max_retries": 0}
    clients = [call.client(**options), call.client(client_id="app_1", client_secret="secret", **options)]
    with FakeTime():
        yield clients
    for client in clients:
        call.close(client)


@settings(max_examples=150)
@given(
    made=st.sampled_from(CALLS),
    client=st.sampled_from([0, 1]),
    pieces=st.lists(answers, min_size=1, max_size=2),
    hangs_up=st.booleans(),
)
def test_no_bytes_raise_anything_but_our_errors(
    call: Colour,
    clients: list[Any],
    server: Loopback,
    *,
    made: Callable[[Any], Any],
    client: int,
    pieces: list[bytes],
    hangs_up: bool,
) -> None:
    """The same holds for the next call, which may find the connection as the first one left it."""
    server.answer = lambda _: saying(pieces, hangs_up=hangs_up)

    for _ in range(2):
        with contextlib.suppress(RedcoreError):
            call(made, clients[client])


# Answers are kept apart ----------------------------------------------------------------------

STRANGER = user(id="usr_stranger").encode()
STRAY = [  # bodies where there should be none
    b"HTTP/1.1 %d Any\r\n%b\r\n\r\n" % (status, length)
    for status in (204, 304)
    for length in (b"Content-Length: %d" % len(STRANGER), b"Transfer-Encoding: chunked")
]


@attrs.frozen
class Scripted:
    """Answers the first request of a call with anything, and sends more when the call is over.

    Args:
        first: The answer.
        late: What is sent when the call is over.
        server: Answers each further request on the connection.
    """

    first: bytes
    late: bytes
    server: Loopback
    has_begun: threading.Event = attrs.field(factory=threading.Event)
    call_is_over: threading.Event = attrs.field(factory=threading.Event)
    all_is_sent: threading.Event = attrs.field(factory=threading.Event)

    def __call__(self, connection: socket.socket) -> None:
        """Answer."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # late bytes have arrived when they are sent
        self.has_begun.set()
        try:
            connection.sendall(self.first)
            self.call_is_over.wait()
            connection.sendall(self.late)
        finally:
            self.all_is_sent.set()
        with connection.makefile("rb") as stream:
            while (seen := read(stream)) is not None:
                answer = self.server.answer(seen)
                if not isinstance(answer, Reply):
                    return answer(connection)
                connection.sendall(answer.encode())
        return None


def second_value(call: Colour, client: Any, server: Loopback, script: Scripted, method: str = "GET") -> str:
    """Return the id that a call gets after a call that was answered by this script."""
    server.answer = lambda seen: script if seen.path.endswith("usr_1") else user(id="usr_2")

    with contextlib.suppress(RedcoreError):
        call(client.with_options(timeout=SILENCE_S).request, method, "/users/usr_1")
    script.call_is_over.set()
    if script.has_begun.is_set():  # not if the call was late already
        assert script.all_is_sent.wait(30)

    value: str = call(client.with_options(timeout=30).users.get, "usr_2").id
    return value


@settings(max_examples=100)
@given(
    first=st.sampled_from(VALID + STRAY) | damaged(),
    behind=st.sampled_from([b"", b"{}", b"\r\n", STRANGER, STRANGER[:-1]]),
    late=st.sampled_from([b"", b"\0", b"0\r\n\r\n", STRANGER]),
    method=st.sampled_from(["GET", "HEAD"]),
)
def test_no_bytes_change_the_value_of_another_call(
    call: Colour, clients: list[Any], server: Loopback, *, first: bytes, behind: bytes, late: bytes, method: str
) -> None:
    """Whatever is sent with an answer, behind it or after it: the next call gets its own in its first attempt."""
    script = Scripted(first + behind, late, server)

    assert second_value(call, clients[0], server, script, method) == "usr_2"


OK = b"HTTP/1.1 200 OK\r\n"
BODY = user().body
ODD = {
    "a body in answer to HEAD": user().encode(),
    "204 with a body": STRAY[0],
    "204 with chunks": STRAY[1] + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    "304 with a body": STRAY[2],
    "304 with chunks": STRAY[3] + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    "205 with a body": Reply(205, BODY).encode(),
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + user().encode(),
    "early hints with a length": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n" + user().encode(),
    "a flood of informational answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 5_000 + user().encode(),
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: any\r\nConnection: upgrade\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
    "a list of lengths": OK + b"Content-Length: %d, 5\r\n\r\n%b" % (len(BODY), BODY),
    "a length that is too short": OK + b"Content-Length: 5\r\n\r\n" + BODY,
    "a length, then chunks": OK + b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n0\r\n\r\n',
    "chunks, then a length": OK + b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\n{"a":\r\n0\r\n\r\n',
    "trailers": CHUNKED + b"%x\r\n%b\r\n0\r\nX-End: yes\r\nContent-Length: 5\r\n\r\n" % (len(BODY), BODY),
    "trailers without an end": CHUNKED + b"%x\r\n%b\r\n0\r\nX-End: yes\r\n" % (len(BODY), BODY),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("first", ODD.values(), ids=ODD)
def test_no_unusual_answer_changes_the_value_of_another_call(
    call: Colour, clients: list[Any], server: Loopback, first: bytes, method: str
) -> None:
    """Each has another answer behind it, which the next call must not get."""
    assert second_value(call, clients[0], server, Scripted(first + STRANGER, STRANGER, server), method) == "usr_2"
