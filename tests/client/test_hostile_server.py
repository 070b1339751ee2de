"""A server that breaks every rule, over every transport: one table says how each call ends.

Waits between attempts take no time here; where silence is tested, the time-out is as short as the machine allows.
"""

from __future__ import annotations

import gzip
import io
import socket
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from tests.answers import USER
from tests.client.colours import TRANSPORTS, Colour, colours_over
from tests.client.loopback import TIMES_S, Loopback, Raw, Reply, refusal, reset, stored, user

from redcore import NetworkError, RateLimitError, RedcoreAPIError, RedcoreError, ResponseError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = gzip.compress(user().body)[:-20]
PAST = "Wed, 21 Oct 2015 07:28:00 GMT"
FLOOD = 100 * 2**20


colour = colours_over(TRANSPORTS)


# Behaviour of a server -----------------------------------------------------------------------


def breaking(data: bytes) -> Raw:
    """Send these bytes, and reset the connection."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        reset(connection)

    return answer


def closing(data: bytes) -> Raw:
    """Send these bytes, and close the connection."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def stalling(data: bytes) -> Raw:
    """Send these bytes, and nothing more until the client hangs up."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.recv(1)

    return answer


def dripping(connection: socket.socket) -> None:
    """Send a space every few milliseconds until the client hangs up."""
    connection.sendall(HEAD)
    connection.settimeout(0.01)
    while not server_is_left(connection):
        connection.sendall(b" ")


def server_is_left(connection: socket.socket) -> bool:
    """Return whether the client has hung up."""
    try:
        return not connection.recv(1)
    except TimeoutError:
        return False


def flooding(connection: socket.socket) -> None:
    """Send a header of 100 MB."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(FLOOD // 2**16):
        connection.sendall(b"X-Flood: " + b"a" * (2**16 - 11) + b"\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def redirecting(connection: socket.socket) -> None:
    """Redirect the client to another name of this very server, where a request would be seen."""
    connection.sendall(Reply(307, headers={"Location": f"http://localhost:{port_of(connection)}/v1/me"}).encode())


def port_of(connection: socket.socket) -> int:
    """The port that the server listens on."""
    port: int = connection.getsockname()[1]
    return port


# Outcome of a call ---------------------------------------------------------------------------


@attrs.frozen
class Case:
    """What the server does at the first attempt (later ones get a proper answer), and the outcome."""

    name: str
    does: Reply | Raw | None
    """None if no request reaches it."""
    error: type[RedcoreError] | None = None
    """None is success."""
    says: str = ""
    attempts: int = 1
    """Requests that reach the server."""
    waits: tuple[float, ...] = ()
    base_url: str = "http://127.0.0.1:{port}/v1"
    options: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


def once(name: str, does: Reply | Raw, error: type[RedcoreError], says: str, **options: Any) -> Case:
    """A call that ends with its first attempt, as it has no other."""
    return Case(name, does, error, says, options={"max_retries": 0, **options})


def again(name: str, does: Reply | Raw, wait: float) -> Case:
    """A call that succeeds at its second attempt, after a wait."""
    return Case(name, does, attempts=2, waits=(wait,))


def unreached(name: str, base_url: str) -> Case:
    """A call that no server gets, in three attempts."""
    return Case(name, None, NetworkError, "no answer", attempts=0, waits=(1.0, 2.0), base_url=base_url)


CASES = [
    unreached("connection refused", "http://127.0.0.1:1/v1"),
    unreached("no such name", "https://name.invalid/v1"),
    unreached("no TLS", "https://127.0.0.1:{port}/v1"),
    once("reset in the header", breaking(HEAD[:40]), NetworkError, "no answer"),
    once("reset before the header", reset, NetworkError, "no answer"),
    once("reset in the body", breaking(HEAD + b'{"data":'), NetworkError, "no answer"),
    once("end before the header", closing(b""), NetworkError, "no answer"),
    once("end in the header", closing(HEAD[:40]), NetworkError, "no answer"),
    once("end in the body", closing(HEAD + b'{"data":'), NetworkError, "no answer"),
    once("another protocol", closing(b"SSH-2.0-OpenSSH_9.9\r\n"), NetworkError, "no answer"),
    once("an absurd status", closing(b"HTTP/1.1 999999 OK\r\n\r\n"), NetworkError, "no answer"),
    once("an absurd length", closing(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), NetworkError, "no answer"),
    once("no chunk", closing(CHUNKED + b"zz\r\n"), NetworkError, "no answer"),
    once("garbage after a chunk", closing(CHUNKED + b'1\r\n{\r\n\x00\xff\r\n{"da'), NetworkError, "no answer"),
    once("a chunk that never ends", closing(CHUNKED + b"ffffffff\r\n{"), NetworkError, "no answer"),
    once("100 MB of headers", flooding, NetworkError, "no answer"),
    Case(
        "no gzip",
        Reply(200, b"no gzip", {"Content-Encoding": "gzip"}),
        ResponseError,
        "the answer's content encoding is broken",
    ),
    Case("half a gzip", Reply(200, BROKEN, {"Content-Encoding": "gzip"}), ResponseError, "the answer"),
    Case("a redirect to another host", redirecting, RedcoreAPIError, "HTTP_307"),
    again("a reset, then an answer", breaking(HEAD), 1.0),
    again("Retry-After: 7", refusal(429, Retry_After="7"), 7.0),
    again("Retry-After: -1", refusal(429, Retry_After="-1"), 1.0),
    again("Retry-After: NaN", refusal(429, Retry_After="NaN"), 1.0),
    again("Retry-After: inf", refusal(503, Retry_After="inf"), 1.0),
    again("Retry-After: 1e300", refusal(429, Retry_After="1e300"), 1.0),
    again("Retry-After in the past", refusal(429, Retry_After=PAST), 0.0),
    Case("Retry-After: 86400", refusal(429, Retry_After="86400"), RateLimitError, "no"),
    Case("Retry-After: 86401", refusal(503, Retry_After="86401"), RedcoreAPIError, "no"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_how_a_call_ends(call: Colour, make: Any, server: Loopback, case: Case, slept: list[float]) -> None:
    """A typed error or success, as the contract says, with the expected number of attempts and waits."""
    server.answer = lambda _: case.does if case.does is not None and len(server.seen) == 1 else user()
    client = make(base_url=case.base_url.format(port=server.port), **case.options)

    if case.error is None:
        assert call(client.users.get, "usr_1").id == USER["id"]
    else:
        with pytest.raises(case.error, match=case.says) as caught:
            call(client.users.get, "usr_1")
        assert caught.value.request_id is not None
        assert {seen.headers["x-request-id"] for seen in server.seen} <= {caught.value.request_id}
    assert (len(server.seen), tuple(slept)) == (case.attempts, case.waits)


SILENT = [
    ("silence before the header", stalling(b""), "timeout"),
    ("silence in the header", stalling(HEAD[:40]), "timeout"),
    ("silence before the body", stalling(HEAD), "timeout"),
    ("silence in the body", stalling(HEAD + b"{"), "timeout"),
    ("a drip beyond the time-out", dripping, "timeout"),
    ("a drip beyond the deadline", dripping, "deadline"),
]


@pytest.mark.parametrize(("does", "limit"), [case[1:] for case in SILENT], ids=[case[0] for case in SILENT])
def test_a_silent_server_ends_the_call_by_timeout(
    call: Colour, make: Any, slept: list[float], does: Raw, limit: str
) -> None:
    """With an error when its time is up, after one attempt."""
    for time_s in TIMES_S:
        with Loopback() as server:
            server.answer = lambda _: does
            client = make(base_url=server.base_url, max_retries=0, **{limit: time_s})
            with pytest.raises(NetworkError, match="no complete answer within") as caught:
                call(client.users.get, "usr_1")
        if server.seen:  # otherwise time was up before the request arrived, which is not the case under test
            break

    assert [seen.headers["x-request-id"] for seen in server.seen] == [caught.value.request_id]
    assert slept == []


CONTENT = bytes(2**21)


def pipe(content: bytes) -> Any:
    """A file that cannot be read a second time."""
    file = io.BytesIO(content)
    file.seekable = lambda: False  # type: ignore[method-assign]
    return file


def test_an_upload_whose_first_attempt_breaks_is_retried(
    call: Colour, make: Any, server: Loopback, slept: list[float]
) -> None:
    """A source that can be read again is sent again, whole and with the same key."""
    server.answer = lambda _: stored(CONTENT)
    server.cut_next = True
    client = make()

    file = call(client.files.upload, file=io.BytesIO(CONTENT))

    first, second = server.seen
    assert (file.id, slept) == ("file_1", [1.0])
    assert len(first.body) < len(CONTENT) < len(second.body)
    assert CONTENT in second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


@pytest.mark.usefixtures("redcore_time")
def test_an_upload_that_cannot_be_reread_is_not_retried(call: Colour, make: Any, server: Loopback) -> None:
    """A source that can be read only once is never sent a second time, as it would arrive empty."""
    server.cut_next = True
    client = make()

    with pytest.raises(NetworkError, match="no answer"):
        call(client.files.upload, file=pipe(CONTENT))

    assert len(server.seen) == 1
