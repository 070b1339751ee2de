"""The bodies of requests: their chunks and trailers, and what is bounded in them."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.support.still_connection import CHUNKED, HEAD, App, Loop, Transport, connected, status

from redcore_server.errors import HeadTooLarge, ValidationFailed
from redcore_server.http.context import REFUSAL
from redcore_server.listening.connection import MAX_FIELDS, MAX_HEAD_BYTES, Connection


def test_too_many_trailers_are_a_431_in_place_of_the_body(connection: Connection, app: App) -> None:
    """They cost as much as fields of the head."""
    connection.data_received(CHUNKED + b"1\r\na\r\n0\r\n" + b"a:b\r\n" * (MAX_FIELDS + 1) + b"\r\n")

    assert isinstance(REFUSAL.find(app.scopes[0]), HeadTooLarge)
    assert connection.cycle.message_event.is_set()


def test_trailers_are_dropped(connection: Connection, app: App) -> None:
    """RFC 9110 section 6.5.1: fields for authentication or routing are never merged into the head."""
    trailers = b"Authorization: Bearer x\r\nX-Forwarded-For: 7.7.7.7\r\nExpect: 100-continue\r\n"
    connection.data_received(CHUNKED + b"1\r\na\r\n0\r\n" + trailers + b"\r\n")

    (scope,) = app.scopes
    assert scope["headers"] == ((b"host", b"x"), (b"transfer-encoding", b"chunked"))
    assert not connection.cycle.more_body


@given(behind=st.binary(max_size=200), cut=st.integers(0, 200))
def test_no_byte_behind_the_head_changes_the_headers(behind: bytes, cut: int) -> None:
    """Whatever follows, well-formed or not, in however many reads."""
    app = App()
    with connected(Loop(), Transport(), app) as made:
        made.data_received(CHUNKED + b"1\r\na\r\n0\r\nA: ")
        for piece in (behind[:cut], behind[cut:], b"\r\n\r\n"):
            made.data_received(piece)

    assert app.scopes[0]["headers"] == ((b"host", b"x"), (b"transfer-encoding", b"chunked"))


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"1\r\na\r\n0\r\nA: ", b"b"),
        (b"1;a=", b"b"),
        (b"1;a=b\r\na\r\n1;", b"a;"),
    ],
    ids=["trailer", "extension", "extensions"],
)
def test_chunk_extensions_and_trailers_are_bounded(
    connection: Connection, app: App, beginning: bytes, piece: bytes
) -> None:
    """Like a head: the app reads 431 in place of the rest of the body."""
    connection.data_received(CHUNKED + beginning)
    for _ in range(MAX_HEAD_BYTES // 1000 + 1):
        assert REFUSAL.find(app.scopes[0]) is None
        connection.data_received(piece * (1000 // len(piece)))
    connection.data_received(piece * 1000)

    assert isinstance(REFUSAL.find(app.scopes[0]), HeadTooLarge)
    assert connection.cycle.message_event.is_set()
    assert not connection.cycle.keep_alive


def test_small_chunks_are_accepted(connection: Connection, app: App) -> None:
    """A body of single bytes, each with a padded size, as some programs send it."""
    connection.data_received(CHUNKED)
    for _ in range(20):
        connection.data_received(b"00000001\r\na\r\n" * 1000)
        connection.cycle.body = bytearray()

    assert REFUSAL.find(app.scopes[0]) is None


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity", b"x"])
def test_other_transfer_codings_are_a_501(connection: Connection, transport: Transport, coding: bytes) -> None:
    """RFC 9112 section 6.1."""
    connection.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")

    assert (status(transport), transport.is_closed) == (501, True)


def test_a_chunk_that_is_malformed_is_a_400_in_place_of_the_body(connection: Connection, app: App) -> None:
    """The app has started to read: it gets the error instead of more of the body."""
    connection.data_received(CHUNKED + b"zz\r\n")

    assert isinstance(REFUSAL.find(app.scopes[0]), ValidationFailed)
    assert connection.cycle.message_event.is_set()


PIECE = 64 * 1024
HUNDRED_MB = 100 * 1024 * 1024


@pytest.mark.parametrize(
    "beginning",
    [b"", b"G", HEAD, HEAD + b"A: ", CHUNKED + b"1;", CHUNKED + b"1\r\na\r\n0\r\n", CHUNKED + b"1\r\na\r\n0\r\nA: "],
    ids=["nothing", "method", "head", "field", "extension", "trailers", "trailer"],
)
@pytest.mark.parametrize("piece", [b"a", b"a: b\r\n", b"\r\n"], ids=["letters", "fields", "lines"])
def test_a_hundred_megabytes_are_not_kept_in_memory(connection: Connection, beginning: bytes, piece: bytes) -> None:
    """Memory stays within 10 MB of what it was, whether or not the app ever reads."""
    read = piece * (PIECE // len(piece))
    tracemalloc.start()
    try:
        connection.data_received(beginning)
        for _ in range(HUNDRED_MB // PIECE):
            connection.data_received(read)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10 * 1024 * 1024


@pytest.mark.parametrize("is_answered", [False, True])
@pytest.mark.parametrize("trailer", [b"Connection: close", b"Proxy-Connection: close", b"connection: a, close"])
def test_a_trailer_that_ends_the_connection_for_the_parser_ends_it_for_the_client(
    connection: Connection, transport: Transport, trailer: bytes, *, is_answered: bool
) -> None:
    """Otherwise the response would promise to read on, and the next request would get no answer."""
    connection.data_received(CHUNKED + b"0\r\n")
    connection.cycle.response_complete = is_answered

    connection.data_received(trailer + b"\r\n\r\n")

    assert (connection.cycle.keep_alive, transport.is_closed) == (False, is_answered)
    connection.cycle.response_complete = True
