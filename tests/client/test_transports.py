"""Behaviour of every transport: the SDK's own, aiohttp's, and given clients of httpx and httpx2."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import aiohttp
import httpx2
import pytest
from aiohttp import http_exceptions
from tests.answers import USER
from tests.client.colours import OWN_TRANSPORTS, TRANSPORTS, Awaiting, Colour, colours_over, named
from tests.client.loopback import Loopback, Raw, Reply, reply, stored, user

from redcore import ConfigurationError, NetworkError, RedcoreError, ResponseError
from redcore._base.clock import uptime
from redcore._transport import body_reader, httpx_client, open_async_transport, open_transport
from redcore._transport.aiohttp_client import AIOHTTP, Bounded
from redcore._transport.connections import SPARE_S
from redcore._transport.errors import our_errors
from redcore._transport.timeouts import TimeLimits
from redcore.exceptions import ArgumentError

colour = colours_over(TRANSPORTS)


def test_calls_share_a_connection(call: Colour, make: Any, server: Loopback) -> None:
    """A connection is used again; each call has its own headers."""
    client = make()

    call(client.users.get, "usr_1")
    call(client.with_options(headers={"X-Trace": "1"}).users.get, "usr/ü")

    assert server.accepted == 1
    assert [(seen.path, seen.headers.get("x-trace")) for seen in server.seen] == [
        ("/v1/users/usr_1", None),
        ("/v1/users/usr%2F%C3%BC", "1"),
    ]
    assert {seen.headers["accept-encoding"] for seen in server.seen} == {"gzip"}
    assert {seen.headers["authorization"] for seen in server.seen} == {"Bearer rk_test_key"}


def test_a_body_is_sent(call: Colour, make: Any, server: Loopback) -> None:
    """JSON goes with its length and its type."""
    call(make().users.create, email="ada@example.com", name="Ada", role="editor")

    seen = server.seen[0]
    assert (seen.headers["content-type"], int(seen.headers["content-length"])) == ("application/json", len(seen.body))


def test_a_post_without_a_body_has_content_length_0(call: Colour, make: Any, server: Loopback) -> None:
    """Some servers wait for a body unless Content-Length is 0."""
    call(make().users.resend_invitation, "usr_1")

    assert server.seen[0].headers["content-length"] == "0"


def test_a_large_upload(call: Colour, make: Any, server: Loopback) -> None:
    """A file of several megabytes arrives whole."""
    content = b"0123456789abcdef" * 200_000
    server.answer = lambda _: stored(content)

    call(make(timeout=30).files.upload, file=content, name="big.bin")

    assert content in server.seen[0].body


def test_cookies_of_answers_are_ignored(call: Colour, make: Any, server: Loopback) -> None:
    """An answer's cookies are not sent again; a given client's are its own matter."""
    server.answer = lambda _: reply({"data": dict(USER)}, 200, Set_Cookie="session=1")
    client = make()

    for _ in range(2):
        call(client.users.get_me)

    if call.over not in {"httpx", "httpx2"}:
        assert "cookie" not in server.seen[1].headers


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_decompression_bomb(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """A small body that would expand without bound is not decompressed, nor is an encoding that was not asked for."""
    monkeypatch.setattr(body_reader, "MAX_BODY_BYTES", 10_000)
    server.answer = lambda _: Reply(200, gzip.compress(bytes(10_000_000)), {"Content-Encoding": encoding})
    message = "was not asked for" if encoding == "br" else "larger than 10000 bytes"

    with pytest.raises(ResponseError, match=message):
        call(make().users.get_me)


def test_endless_headers(call: Colour, make: Any, server: Loopback) -> None:
    """A hundred megabytes of headers are cut off early."""
    sent = []

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            connection.sendall(b"X-%d: " % number + b"a" * 1000 + b"\r\n" + b"X: %s\r\n" % (b"b" * 500) * 2000)
            sent.append(number)

    server.answer = lambda _: endless

    with pytest.raises(NetworkError, match="no answer"):
        call(make(max_retries=0).users.get_me)

    assert len(sent) < 20


def test_large_headers(call: Colour, make: Any, server: Loopback) -> None:
    """A header of tens of kilobytes, such as policies that a proxy adds, is no reason to refuse an answer."""
    server.answer = lambda _: reply({"data": {**USER}, "meta": {}}, Content_Security_Policy="x" * 40_000)

    assert call(make().users.get_me).id == "usr_1"


@pytest.mark.parametrize("colour", OWN_TRANSPORTS, ids=named)
def test_an_idle_connection_after_the_machine_was_suspended(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not reused: routers have forgotten it, and no packet says so. The monotonic clock stood still meanwhile."""
    suspended_s = 0.0
    for module in ("direct_socket", "direct_protocol", "pool", "aiohttp_client"):
        monkeypatch.setattr(f"redcore._transport.{module}.uptime", lambda: uptime() + suspended_s)
    client = make()
    call(client.users.get_me)
    call(client.users.get_me)
    assert server.accepted == 1

    suspended_s = SPARE_S + 1
    call(client.users.get_me)

    assert server.accepted == 2


def test_a_connection_that_the_server_closed(call: Colour, make: Any, server: Loopback) -> None:
    """It is not used again: a call after the server hung up succeeds."""

    def once(connection: socket.socket) -> None:
        connection.sendall(user().encode())

    answers: list[Reply | Raw] = [once, user()]
    server.answer = lambda _: answers.pop(0)
    client = make(max_retries=0)

    call(client.users.get_me)
    assert server.ended.acquire(timeout=30)
    call(client.users.get_me)

    assert server.accepted == 2


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_a_second_answer_in_the_same_segment(
    call: Colour,
    make: Any,
    server: Loopback,
    streams: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    """The next call gets the answer to its own request, over another connection."""
    content = b"content"
    checked = Reply(200, content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})
    first = checked if streams else user(id="usr_1")

    def both(connection: socket.socket) -> None:
        connection.sendall(first.encode() + user(id="usr_stray").encode())
        connection.recv(2**16)

    server.answer = lambda seen: user(id="usr_2") if seen.path.endswith("usr_2") else both
    client = make(max_retries=0)

    if streams:
        assert call(client.files.download, "file_1") == content
    else:
        assert call(client.users.get, "usr_1").id == "usr_1"

    assert call(client.users.get, "usr_2").id == "usr_2"
    assert server.accepted == 2


def test_a_body_of_a_204_that_comes_with_the_next_request(call: Colour, make: Any, server: Loopback) -> None:
    """The next call gets the answer to its own request, over another connection."""
    stray = user(id="usr_stray").encode()
    answers = [f"HTTP/1.1 204 Any\r\nContent-Length: {len(stray)}\r\n\r\n".encode(), stray]

    def late(connection: socket.socket) -> None:
        for data in answers:
            connection.sendall(data)
            connection.recv(2**16)

    server.answer = lambda seen: late if seen.method == "DELETE" else user(id="usr_2")
    client = make()

    call(client.users.delete, "usr_1")

    assert call(client.users.get, "usr_2").id == "usr_2"
    assert server.accepted == 2


def test_an_attempt_is_one_request(call: Colour, make: Any, server: Loopback) -> None:
    """No library retries by itself: retries belong to the client."""

    def hang_up(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    server.answer = lambda _: hang_up if len(server.seen) == 2 else user()
    client = make(max_retries=0)
    call(client.users.get_me)

    with pytest.raises(NetworkError):
        call(client.users.get_me)

    assert len(server.seen) == 2


def test_a_call_after_closing(call: Colour, make: Any) -> None:
    """A call after closing raises an error that says so; closing twice is fine."""
    client = make()
    call.close(client)
    call.close(client)

    with pytest.raises(RedcoreError, match="this client is closed"):
        call(client.users.get_me)
    with pytest.raises(RedcoreError, match="this client is closed"):
        call(client.files.upload, file=b"x")


# Which transport -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [httpx2.Client, httpx2.AsyncClient, object])
def test_an_invalid_http_client(kind: Any) -> None:
    """A client of the other colour, or of another library, is refused with the kinds that can be given."""
    brought = kind()

    if kind is not httpx2.Client:
        with pytest.raises(ConfigurationError, match=r"takes an httpx\.Client or httpx2\.Client as http_client; got"):
            open_transport(brought)
    if kind is not httpx2.AsyncClient:
        with pytest.raises(ConfigurationError, match=r"takes an httpx\.AsyncClient or httpx2\.AsyncClient"):
            open_async_transport(brought, None)


def test_an_invalid_transport() -> None:
    """The error lists the names of this colour; a given client is a transport already."""
    with pytest.raises(ConfigurationError, match='transport must be "direct", "httpcore" or None; got \'aiohttp\''):
        open_transport(None, "aiohttp")
    with pytest.raises(ConfigurationError, match='transport must be "aiohttp", "direct", "httpcore" or None'):
        open_async_transport(None, "requests")
    with pytest.raises(ConfigurationError, match="give either transport or http_client"):
        open_async_transport(httpx2.AsyncClient(), "aiohttp")


@pytest.mark.parametrize(("name", "package"), [("aiohttp", r"redcore-sdk\[aiohttp\]"), ("direct", "httptools")])
def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    """The error names what to install."""
    monkeypatch.setattr("redcore._transport.find_spec", lambda _: None)

    with pytest.raises(ConfigurationError, match=f"pip install '{package}'"):
        open_async_transport(None, name)


def test_aiohttp_on_trio(portals: Any, server: Loopback) -> None:
    """It needs asyncio, and the error says so."""
    on_trio = Awaiting("trio", portals["trio"], over="aiohttp")
    client = on_trio.client(base_url=server.base_url)

    with pytest.raises(ConfigurationError, match="works with asyncio only"):
        on_trio(client.users.get_me)

    on_trio.close(client)


# Their exceptions ----------------------------------------------------------------------------


def exceptions_of(library: Any) -> set[type[Exception]]:
    return {value for value in vars(library).values() if isinstance(value, type) and issubclass(value, Exception)}


NEVER = {  # of cookie jars, server-sent events, web sockets and multipart answers, which are not used
    httpx2.CookieConflict,
    httpx2.SSEError,
    aiohttp.BadContentDispositionHeader,
    aiohttp.BadContentDispositionParam,
    aiohttp.WSMessageTypeError,
    aiohttp.WebSocketError,
}
HTTPX2 = httpx_client.errors_of(httpx2)


CASES: list[tuple[Any, Any]] = [
    *((HTTPX2, cls) for cls in exceptions_of(httpx2) - NEVER),
    *((AIOHTTP, cls) for cls in (exceptions_of(aiohttp) | exceptions_of(http_exceptions)) - NEVER),
]


@pytest.mark.parametrize(("foreign", "cls"), sorted(CASES, key=str))
def test_every_error_of_a_library_is_mapped(foreign: Any, cls: type[Exception]) -> None:
    """Each of its exceptions becomes one of the SDK, chained to its cause."""
    refused = {"InvalidURL", "UnsupportedProtocol", "LocalProtocolError", "NonHttpUrlClientError"}
    names = {base.__name__ for base in cls.__mro__}
    expected: type[RedcoreError] = NetworkError
    if names & {"DecodingError", "ContentEncodingError"}:
        expected = ResponseError
    elif names & refused:
        expected = ArgumentError
    described: Any = type(cls.__name__, (cls,), {"__str__": lambda _: "why"})
    original: Exception = described.__new__(described)  # their constructors take all sorts of things

    with pytest.raises(expected) as caught, our_errors(1.0, foreign):
        raise original

    assert caught.value.__cause__ is original


def test_the_rest_of_a_deadline_is_rounded() -> None:
    """An attempt may have what is left of a deadline; the message shows milliseconds."""
    with pytest.raises(NetworkError, match=r"within 0\.3 s"), our_errors(0.299976, AIOHTTP):
        raise TimeoutError


def test_a_read_that_aiohttp_does_not_end_is_ended() -> None:
    """It loses its time-out if that comes between the head of a response and its body."""

    async def read() -> None:
        async def silent() -> AsyncGenerator[bytes]:
            await asyncio.Event().wait()
            yield b""

        async with aclosing(silent()) as pieces:
            await anext(Bounded(pieces, TimeLimits(0.001, None)))

    with pytest.raises(TimeoutError):
        asyncio.run(read())
