"""The heads of requests: which are served, and how others are refused."""

from __future__ import annotations

import pytest
from tests.server.support.still_connection import HEAD, App, Loop, Transport, status

from redcore_server.http.context import REFUSAL
from redcore_server.listening.connection import MAX_FIELDS, MAX_HEAD_BYTES, MAX_WAITING, Connection


@pytest.mark.parametrize("pieces", [1, 2, 20])
def test_a_head_that_is_too_large_is_a_431(
    connection: Connection, loop: Loop, transport: Transport, pieces: int
) -> None:
    """However it arrives, whole or in parts, and whether or not it ends."""
    head = HEAD + b"X-Large: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n"
    size = len(head) // pieces + 1
    for start in range(0, len(head), size):
        if not transport.is_closed:
            connection.data_received(head[start : start + size])

    assert transport.written.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"\r\nconnection: close\r\n" in transport.written
    assert transport.is_closed


def test_a_head_without_end_is_a_431(connection: Connection, transport: Transport) -> None:
    """Bytes that never become a request are not kept."""
    connection.data_received(HEAD + b"X-Large: ")
    while not transport.is_closed:
        connection.data_received(b"x" * 10_000)

    assert transport.written.startswith(b"HTTP/1.1 431 ")


def test_a_head_with_too_many_fields_is_a_431(connection: Connection, app: App, transport: Transport) -> None:
    """Tiny ones too: each costs the parser a call. The answer goes to the requested path."""
    connection.data_received(HEAD + b"a:b\r\n" * MAX_FIELDS + b"\r\n")

    assert (status(transport), transport.is_closed) == (431, True)
    assert b"more than 100" in transport.written
    assert (app.scopes[0]["path"], len(app.scopes[0]["headers"])) == ("/v1/me", MAX_FIELDS)


def test_a_head_with_the_maximum_of_fields_is_served(connection: Connection, app: App) -> None:
    """Of each request of a connection."""
    for _ in range(2):
        connection.data_received(HEAD + b"a:b\r\n" * (MAX_FIELDS - 1) + b"\r\n")

    assert REFUSAL.find(app.scopes[0]) is None
    assert not connection.transport.is_closing()


def test_bytes_that_are_not_http_are_a_400(connection: Connection, transport: Transport) -> None:
    """The connection is closed."""
    connection.data_received(b"\x00\x01\x02\r\n\r\n")

    assert transport.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert transport.is_closed


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        b"GET /healthz HTTP/1.1\r\nHost:\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a b\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: u@a\r\n",
        b"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n",
    ],
)
def test_exactly_one_host(connection: Connection, app: App, transport: Transport, head: bytes) -> None:
    """RFC 9112 section 3.2: any other number, or an invalid host, is a 400."""
    connection.data_received(head + b"\r\n")

    assert (status(transport), transport.is_closed) == (400, True)
    assert app.scopes[0]["path"] == "/healthz"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:4010\r\n",
        b"GET / HTTP/1.1\r\nHost: api.example.com:443\r\n",
    ],
)
def test_valid_hosts(connection: Connection, app: App, head: bytes) -> None:
    """HTTP/1.0 has none; a literal address and a port are allowed."""
    connection.data_received(head + b"\r\n")

    assert REFUSAL.find(app.scopes[0]) is None


def test_white_space_around_a_header_value_is_stripped(connection: Connection, app: App) -> None:
    """RFC 9110 section 5.5."""
    connection.data_received(b"GET / HTTP/1.1\r\nHost: a \t\r\nX-Name: \t b c\t \r\n\r\n")

    assert (b"x-name", b"b c") in app.scopes[0]["headers"]


@pytest.mark.parametrize("version", [b"2.0", b"0.9"])
def test_other_versions_of_http_are_refused(connection: Connection, transport: Transport, version: bytes) -> None:
    """RFC 9112 section 2.3: the parser would take it for HTTP/1.1."""
    connection.data_received(b"GET / HTTP/" + version + b"\r\nHost: x\r\n\r\n")

    assert (status(transport), transport.is_closed) == (501, True)


def test_an_answer_of_the_parser_has_the_known_facts(connection: Connection, app: App, transport: Transport) -> None:
    """Method, path and headers for the log; a request without them still has its answer."""
    connection.data_received(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-ID: abc\r\nX: a\0b\r\n\r\n")

    (scope,) = app.scopes
    assert (scope["method"], scope["path"]) == ("GET", "/healthz")
    assert (b"x-request-id", b"abc") in scope["headers"]
    assert status(transport) == 400


def test_an_upgrade_is_ignored_or_refused_without_losing_a_body(connection: Connection, transport: Transport) -> None:
    """Some clients offer HTTP/2 with each request; the parser would take their body for another protocol."""
    upgrade = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    connection.data_received(b"GET / HTTP/1.1\r\n" + upgrade + b"\r\n")
    assert transport.written == b""
    connection.cycle.response_complete = connection.cycle.disconnected = True

    connection.data_received(b"POST / HTTP/1.1\r\n" + upgrade + b"Content-Length: 1\r\n\r\nx")

    assert status(transport) == 501


def test_requests_behind_an_upgrade_in_one_read_are_not_lost(connection: Connection) -> None:
    """The parser stops behind each of them, and the rest of the read is bounded as ever."""
    offer = HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    connection.data_received(offer + HEAD + b"\r\n" + offer + b"GET /last HT")
    connection.data_received(b"TP/1.1\r\nHost: x\r\n\r\n")
    assert len(connection.pipeline) == 3

    connection.data_received(offer * 1000)
    assert len(connection.pipeline) == MAX_WAITING + 1


@pytest.mark.parametrize("target", [b"/", b"example.com:443"])
@pytest.mark.parametrize("framing", [b"", b"Content-Length: 35\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_connect_is_refused_and_nothing_behind_it_is_read(
    connection: Connection, transport: Transport, app: App, target: bytes, framing: bytes
) -> None:
    """The parser reads no body of it, where a proxy may send one: it would be the next request of the connection."""
    connection.data_received(b"CONNECT " + target + b" HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n")
    connection.data_received(b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (status(transport), transport.is_closed, len(app.scopes)) == (501, True, 1)
