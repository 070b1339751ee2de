"""Answers as bytes: what is read, what is refused, and when a connection can take another request."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from redcore._transport import direct_parser
from redcore._transport.direct_parser import AnswerReader, BrokenAnswer, WholeAnswer

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\n{}"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def reader_of(data: bytes, method: str = "GET", size: int = 2**16) -> AnswerReader:
    """Return a reader that was fed these bytes, in pieces of this size."""
    reader = AnswerReader()
    reader.begin(method)
    for piece in pieces(data, size):
        reader.feed(piece)
    return reader


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def feed_again(reader: AnswerReader, data: bytes, times: int) -> None:
    for _ in range(times):
        reader.feed(data)


def body(reader: AnswerReader) -> bytes:
    return b"".join(reader.take())


@pytest.mark.parametrize("size", [1, 7, 2**16])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (SHORT, b"{}"),
        (CHUNKED + b"2;name=value\r\n{}\r\n3\r\nabc\r\n0\r\nX-End: yes\r\n\r\n", b"{}abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + SHORT, b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", b""),
        (b"\r\n" + SHORT, b"{}"),
    ],
    ids=["length", "chunks", "informational", "204", "204 and no length", "304", "empty line before"],
)
def test_an_answer_is_complete_and_the_connection_reusable(data: bytes, expected: bytes, size: int) -> None:
    """However its bytes are split, the body is the same; the next request may follow."""
    reader = reader_of(data, size=size)

    assert (reader.complete, reader.reusable, body(reader)) == (True, True, expected)


def test_two_answers_on_one_connection() -> None:
    """Nothing of the first answer is left in the second."""
    reader = reader_of(OK + b"X-First: 1\r\nContent-Length: 1\r\n\r\n1")

    reader.begin("GET")
    reader.feed(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n22")

    assert (reader.status, dict(reader.headers), body(reader)) == (404, {"content-length": "2"}, b"22")
    assert reader.reusable


def test_a_head_is_read_with_its_repeated_headers() -> None:
    """White space around values is not part of them (RFC 9110 section 5.5); names have any case."""
    reader = reader_of(OK + b"Vary: a \r\nVARY:\tb\r\nX-Name: \xe9\r\nContent-Length: 0\r\n\r\n")

    assert dict(reader.headers) == {"vary": "a, b", "x-name": "é", "content-length": "0"}


def test_trailers_are_not_headers() -> None:
    """They come after the body and are not kept."""
    reader = reader_of(CHUNKED + b"0\r\nX-End: yes\r\n\r\n")

    assert "x-end" not in reader.headers


@pytest.mark.parametrize(
    "data",
    [
        SHORT + b"HTTP/1.1 200 OK\r\n",
        SHORT + b"{",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}{}",
    ],
    ids=["a second answer", "a byte too much", "HTTP/1.0", "close", "close and a byte too much"],
)
def test_a_connection_that_is_not_reused(data: bytes) -> None:
    """The answer is valid; what follows it is read by no other call."""
    reader = reader_of(data)

    assert (reader.complete, reader.reusable, body(reader)) == (True, False, b"{}")


@pytest.mark.parametrize(
    "surplus",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/2.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"\0",
    ],
    ids=repr,
)
@pytest.mark.parametrize("size", [1, 2**16])
def test_what_follows_an_answer_changes_nothing_of_it(surplus: bytes, size: int) -> None:
    """Neither its status and headers nor its body."""
    reader = reader_of(SHORT + surplus, size=size)

    assert (reader.status, dict(reader.headers), reader.encoding) == (200, {"content-length": "2"}, None)
    assert (reader.complete, reader.reusable, body(reader)) == (True, False, b"{}")


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("announced", [b"Content-Length: 2", b"Transfer-Encoding: chunked"])
def test_a_body_that_is_announced_where_none_belongs(status: int, announced: bytes) -> None:
    """It is not awaited, and may still arrive: no other request is sent on that connection."""
    reader = reader_of(b"HTTP/1.1 %d Any\r\n%b\r\n\r\n" % (status, announced))

    assert (reader.complete, reader.reusable, body(reader)) == (True, False, b"")


def test_an_answer_to_head_has_no_body() -> None:
    """Its length is that of the body it does not have; the parser cannot continue after it."""
    reader = reader_of(OK + b"Content-Length: 1000\r\n\r\n", "HEAD")

    assert (reader.complete, reader.reusable, reader.headers["content-length"]) == (True, False, "1000")


def test_a_body_that_ends_with_the_connection() -> None:
    """Without a length and without chunks the body ends when the connection is closed."""
    reader = reader_of(OK + b"\r\n{}")
    assert not reader.complete

    reader.end()

    assert (reader.complete, reader.reusable, body(reader)) == (True, False, b"{}")


@pytest.mark.parametrize("data", [b"", SHORT[:10], SHORT[:-1], CHUNKED + b"2\r\n{}\r\n", CHUNKED + b"0\r\n"])
def test_an_early_end_of_the_connection(data: bytes) -> None:
    """An answer with a length, or with chunks, is incomplete before its end."""
    reader = reader_of(data)

    with pytest.raises(BrokenAnswer, match="the connection ended before the answer did"):
        reader.end()


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
        OK + b"Transfer-Encoding: xchunked\r\n\r\n",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        OK + b"Content-Length: 2, 2\r\n\r\n{}",
        OK + b"Content-Length: +2\r\n\r\n{}",
        OK + b"Content-Length: -2\r\n\r\n{}",
        OK + b"Content-Length: 0x2\r\n\r\n{}",
        OK + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        OK + b"Content-Length:\r\n\r\n{}",
        CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"fffffffffffffffff\r\n{}",
        CHUNKED + b"2\n{}\n0\n\n",
        CHUNKED + b"2\r\n{}0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
        b"HTTP/1.1 200 OK\rContent-Length: 2\r\r{}",
        OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"X\0: a\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"X: a\x01b\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"X\xff: a\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Content-Length : 2\r\n\r\n{}",
        OK + b": a\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Content-Length:\r\n 2\r\n\r\n{}",
        b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 1000 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0" + SHORT,
    ],
    ids=repr,
)
def test_ambiguous_framing_is_refused(data: bytes) -> None:
    """No second length, no other coding, no bare line feed, no folded header, no odd chunk, no other protocol."""
    with pytest.raises(BrokenAnswer):
        reader_of(data)


def test_a_server_of_another_protocol() -> None:
    """The error of the parser, which lists what it can read, is put into words."""
    with pytest.raises(BrokenAnswer, match="the answer is not valid HTTP: "):
        reader_of(b"-ERR wrong number of arguments\r\n")


LINE = b"X-Line: " + b"a" * 1000 + b"\r\n"


@pytest.mark.parametrize(
    "begin",
    [OK, OK + b"X: ", CHUNKED + b"1;", CHUNKED + b"0\r\n", b"HTTP/1.1 103 Early Hints\r\n", b"HTTP/1.1 200 "],
    ids=["headers", "one header", "chunk extension", "trailers", "informational", "reason"],
)
def test_what_is_not_a_body_is_bounded(begin: bytes) -> None:
    """A server that sends heads, chunk lines or trailers without end is cut off."""
    more = LINE if begin.endswith(b"\r\n") else b"a" * 1000
    reader = reader_of(begin)

    with pytest.raises(BrokenAnswer, match="more than 102400 bytes of headers, chunk extensions or trailers"):
        feed_again(reader, more, 200)


@pytest.mark.parametrize(("size", "is_read"), [(102_300, True), (102_500, False)])
@pytest.mark.parametrize("at_once", [2**10, 2**16, 2**18])
def test_the_bound_of_a_head(size: int, is_read: bool, at_once: int) -> None:  # noqa: FBT001 (a parameter)
    """It does not depend on how much of the answer arrives at once."""
    begin = OK + b"Content-Length: 300000\r\nX: "
    data = begin + b"a" * (size - len(begin) - 4) + b"\r\n\r\n" + bytes(300_000)

    with nullcontext() if is_read else pytest.raises(BrokenAnswer, match="more than 102400 bytes of headers"):
        assert reader_of(data, size=at_once).complete


def test_informational_answers_are_bounded_together() -> None:
    """Many small ones are a flood too."""
    reader = reader_of(b"")

    with pytest.raises(BrokenAnswer, match="more than"):
        feed_again(reader, b"HTTP/1.1 100 Continue\r\n\r\n", 10_000)


def test_a_body_of_many_small_chunks_is_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound applies to the bytes between two bytes of a body."""
    monkeypatch.setattr(direct_parser, "MAX_OVERHEAD_BYTES", 100)
    reader = reader_of(CHUNKED + b"1\r\na\r\n" * 100 + b"0\r\n\r\n", size=50)

    assert (reader.complete, body(reader)) == (True, b"a" * 100)


def test_ctrl_c_within_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a header is read is not reported as an error of the answer."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AnswerReader, "on_header", interrupted)

    with pytest.raises(KeyboardInterrupt):
        reader_of(SHORT)


def test_the_memory_of_a_body_of_many_small_chunks() -> None:
    """It depends on the size of the body, not on the number of its chunks."""
    data = CHUNKED + b"2\r\nab\r\n" * 100_000 + b"0\r\n\r\n"
    reader = reader_of(b"")
    whole = WholeAnswer(reader, ends_at=math.inf)
    tracemalloc.start()

    for piece in pieces(data, 2**16):
        reader.feed(piece)
        whole.collect()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert whole.response().content == b"ab" * 100_000
    assert peak_bytes < 2**21
