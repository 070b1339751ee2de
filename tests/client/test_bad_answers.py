"""Faults of a server or a network: each has its own clear error, and no foreign exception escapes."""

from __future__ import annotations

import gzip
import math
import socket
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import attrs
import httpcore
import httpx
import pytest
from tests.answers import USER
from tests.client.colours import LIBRARIES, TRANSPORTS, Colour, colours_over
from tests.client.loopback import TIMES_S, Loopback, Raw, Reply, refusal, reply, reset, user

from redcore import Client, NetworkError, NotFoundError, RedcoreAPIError, RedcoreError, ResponseError
from redcore._transport import body_reader
from redcore._transport.body_reader import Body
from redcore._transport.errors import our_errors
from redcore._transport.httpx_client import HTTPX
from redcore._transport.pool import HTTPCORE
from redcore.exceptions import ArgumentError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


colour = colours_over(TRANSPORTS)


def drip(server: Loopback, first: bytes, *, timeout_s: float) -> Raw:
    """Send a beginning, and then a byte at a time, ten within each time-out, for five of them."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(50):
            server.gone.wait(timeout_s / 10)
            connection.sendall(b" ")
        reset(connection)

    return answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), "the answer is not JSON (text/html)"),
        (Reply(200, b'{"data": {"id": "usr'), "the answer is not JSON"),
        (Reply(200), "the answer to a call is empty (status 200)"),
        (Reply(204), "the answer to a call is empty (status 204)"),
        (Reply(200, b"[]"), "the answer does not fit: Expected `object`, got `array`"),
        (user(id=7), "the answer does not fit: Expected `str`, got `int` - at `$.data.id`"),
        (user(created_at="yesterday"), "the answer does not fit: Invalid RFC3339 encoded datetime"),
    ],
    ids=repr,
)
def test_an_answer_that_cannot_be_read(call: Colour, make: Any, server: Loopback, answer: Reply, message: str) -> None:
    """The error says what is wrong with the answer; there is no second attempt."""
    server.script(answer)

    with pytest.raises(ResponseError) as caught:
        call(make().users.get, "usr_1")

    assert caught.value.message.startswith(message)
    assert caught.value.request_id == server.seen[0].headers["x-request-id"]


def test_an_unknown_enum_value_and_unknown_fields(call: Colour, make: Any, server: Loopback) -> None:
    """A newer server does not break an older client."""
    server.script(user(role="auditor", shoe_size=43))

    assert call(make().users.get, "usr_1").role == "auditor"


@pytest.mark.parametrize("size", [1, 7, 2**20], ids="in pieces of {}".format)
def test_gzip_members(call: Colour, make: Any, server: Loopback, size: int) -> None:
    """RFC 1952 section 2.2: a body of several members is decoded to their joined contents, however it arrives."""
    body = user().body
    packed = gzip.compress(body[:40]) + gzip.compress(b"") + gzip.compress(body[40:])

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(packed), size):
            piece = packed[at : at + size]
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    server.script(answer)

    assert call(make().users.get, "usr_1").id == "usr_1"


@pytest.mark.parametrize("rest", [b"garbage", gzip.compress(b"more")[:-5], b"\x1f"], ids=["garbage", "half", "magic"])
def test_bytes_after_a_gzip_member_are_not_dropped(call: Colour, make: Any, server: Loopback, rest: bytes) -> None:
    """Bytes that are not a member are not dropped silently."""
    server.script(Reply(200, gzip.compress(user().body) + rest, {"Content-Encoding": "gzip"}))

    with pytest.raises(ResponseError, match="content encoding is broken"):
        call(make().users.get, "usr_1")


RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
CONTENT = bytes(range(256)) * 10
UNWRAPPED = RAW.compress(CONTENT) + RAW.flush()


@pytest.mark.parametrize("size", [1, 2, 7, 2**20], ids="in pieces of {}".format)
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("X-GZIP", gzip.compress(CONTENT)),
        ("gzip, identity", gzip.compress(CONTENT)),
        ("deflate", zlib.compress(CONTENT)),
        ("deflate", zlib.compress(CONTENT, 1)),
        ("deflate", UNWRAPPED),
        ("Deflate", gzip.compress(CONTENT)),
        ("identity", CONTENT),
        (" identity ,", CONTENT),
        ("", CONTENT),
        (None, CONTENT),
    ],
)
def test_content_encodings(encoding: str | None, packed: bytes, size: int) -> None:
    """Every name and form of gzip and deflate (RFC 9110 section 8.4.1), however it arrives."""
    body = Body(200, encoding, math.inf)

    for at in range(0, len(packed), size):
        body.add(packed[at : at + size])

    assert body.whole() == CONTENT


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "utf-8", "aws-chunked"])
def test_a_content_encoding_that_was_not_asked_for(encoding: str) -> None:
    """An unknown encoding is an error."""
    with pytest.raises(ResponseError, match="was not asked for"):
        Body(200, encoding, math.inf)


def test_hundreds_of_headers(call: Colour, make: Any, server: Loopback) -> None:
    """They are accepted, as long as they are not too large: some proxies explain what they did."""
    answer = user()
    server.script(attrs.evolve(answer, headers={**answer.headers, **{f"X-Debug-{n}": "1" for n in range(400)}}))

    assert call(make().users.get, "usr_1").id == "usr_1"


BROKEN = [("br", b"\x0b\x02"), ("gzip", refusal(404).body), ("gzip", gzip.compress(b"<html>")[:-9])]


@pytest.mark.parametrize(("encoding", "body"), BROKEN, ids=["unknown", "not compressed", "cut"])
def test_an_error_whose_body_cannot_be_decompressed(
    call: Colour, make: Any, server: Loopback, encoding: str, body: bytes
) -> None:
    """Its status says what happened, so it is not hidden by its explanation."""
    server.script(Reply(404, body, {"Content-Encoding": encoding}))

    with pytest.raises(NotFoundError):
        call(make().users.get, "usr_1")


def test_an_error_that_only_claims_to_be_compressed(server: Loopback) -> None:
    """Its code and message are read, as by proxies that leave the header of the answer that they replace."""
    server.script(Reply(404, refusal(404, "GONE").body, {"Content-Encoding": "gzip"}))

    with Client(api_key="rk_test_key", base_url=server.base_url) as client, pytest.raises(NotFoundError) as caught:
        client.users.get("usr_1")

    assert caught.value.code == "GONE"


@pytest.mark.parametrize("cut", [UNWRAPPED[:1], UNWRAPPED[:-1], zlib.compress(CONTENT)[:-1]])
def test_a_deflated_body_that_was_cut(cut: bytes) -> None:
    """It is not taken for a complete one."""
    body = Body(200, "deflate", math.inf)
    body.add(cut)

    with pytest.raises(ResponseError, match="content encoding is broken"):
        body.whole()


def test_a_byte_order_mark(call: Colour, make: Any, server: Loopback) -> None:
    """RFC 8259 section 8.1: it is ignored, in answers, error envelopes and answers to `request`."""
    marked = [Reply(answer.status, BOM_UTF8 + answer.body, answer.headers) for answer in (user(), refusal(404), user())]
    server.script(*marked)
    client = make()

    assert call(client.users.get, "usr_1").id == "usr_1"
    with pytest.raises(NotFoundError, match="ANY_CODE"):
        call(client.users.get, "usr_1")
    assert call(client.request, "GET", "/me").value["data"]["id"] == "usr_1"


def test_a_compressed_answer(call: Colour, make: Any, server: Loopback) -> None:
    """A body with a valid encoding is decoded."""
    server.script(Reply(200, gzip.compress(user().body), {"Content-Encoding": "gzip"}))

    assert call(make().users.get, "usr_1").id == USER["id"]


def test_a_body_that_is_too_large(call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body beyond the limit is not read to its end."""
    monkeypatch.setattr(body_reader, "MAX_BODY_BYTES", 1000)
    server.script(Reply(200, b"x" * 1001), Reply(200, gzip.compress(b"x" * 1001), {"Content-Encoding": "gzip"}))

    for _ in range(2):
        with pytest.raises(ResponseError, match="larger than 1000 bytes"):
            call(make().users.get, "usr_1")


@pytest.mark.parametrize("kind", ["header", "body"])
def test_a_slow_drip(call: Colour, make: Any, server: Loopback, kind: str) -> None:
    """The time-out holds for the whole attempt: a server that never finishes is cut off."""
    # A given blocking httpx client has its own time-outs, which bound each silence within headers.
    in_time = kind == "body" or call.name != "sync" or call.over not in LIBRARIES

    for time_s in TIMES_S:
        server.script(drip(server, HEAD[:40] if kind == "header" else HEAD, timeout_s=time_s))
        with pytest.raises(NetworkError) as caught:
            call(make(timeout=time_s, max_retries=0).users.get, "usr_1")
        if in_time or "within" not in str(caught.value):  # otherwise the machine was too busy to send a byte in time
            break

    assert (f"no complete answer within {time_s:g} s" if in_time else "no answer") in str(caught.value)


def test_a_redirect_is_not_followed(call: Colour, make: Any, server: Loopback) -> None:
    """The token is sent to no other address; the error has the status."""
    with Loopback() as other:
        server.script(Reply(307, headers={"Location": f"{other.base_url}/me"}))

        with pytest.raises(RedcoreAPIError) as caught:
            call(make().users.get_me)

        assert (caught.value.status_code, other.seen) == (307, [])


def test_a_redirect_is_not_followed_by_a_given_client(call: Colour, make: Any, server: Loopback) -> None:
    """A given client that follows redirects by itself does not follow this one."""
    brought: Any = (httpx.Client if call.name == "sync" else httpx.AsyncClient)(follow_redirects=True)
    with Loopback() as other:
        server.script(Reply(302, headers={"Location": f"{other.base_url}/me"}))

        with pytest.raises(RedcoreAPIError):
            call(make(http_client=brought).users.get_me)

        assert other.seen == []
    call(brought.close if call.name == "sync" else brought.aclose)


def tree(cls: type[Exception]) -> Iterator[type[Exception]]:
    yield cls
    for child in cls.__subclasses__():
        yield from tree(child)


HTTPX_ERRORS = {
    cls
    for root in (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)
    for cls in tree(root)
    if cls.__module__ == "httpx"
}


HTTPCORE_ERRORS = {v for v in vars(httpcore).values() if isinstance(v, type) and issubclass(v, Exception)}
REFUSED = (
    httpx.InvalidURL
    | httpx.UnsupportedProtocol
    | httpx.LocalProtocolError
    | httpcore.UnsupportedProtocol
    | httpcore.LocalProtocolError
)


def mapped(cls: type[Exception]) -> type[RedcoreError]:
    """The exception of the SDK that an error of httpx or httpcore becomes."""
    if issubclass(cls, httpx.DecodingError):
        return ResponseError
    return ArgumentError if issubclass(cls, REFUSED) else NetworkError


def test_all_errors_of_httpx_are_known() -> None:
    """Every exception that httpx exports is in the list, except that of its cookie jar, which is not used."""
    exported = {value for value in vars(httpx).values() if isinstance(value, type) and issubclass(value, Exception)}

    assert exported - HTTPX_ERRORS == {httpx.CookieConflict}


@pytest.mark.parametrize("cls", sorted(HTTPX_ERRORS | HTTPCORE_ERRORS, key=str))
def test_every_error_of_httpx_and_httpcore_is_mapped(cls: type[Exception]) -> None:
    """Each of their exceptions becomes one of the SDK, chained to its cause."""
    original = cls.__new__(cls)

    for foreign in [HTTPX, HTTPCORE] if cls in HTTPX_ERRORS else [HTTPCORE]:
        with pytest.raises(mapped(cls)) as caught, our_errors(1.0, foreign):
            raise original

        assert caught.value.__cause__ is original


@pytest.mark.parametrize(
    ("original", "cls"),
    [
        (TimeoutError(), NetworkError),
        (ConnectionResetError(), NetworkError),
        (OSError(5, "I/O error"), NetworkError),
        (RuntimeError("Event loop is closed"), NetworkError),
        (UnicodeError("label too long"), ArgumentError),
    ],
)
@pytest.mark.parametrize("foreign", [HTTPX, HTTPCORE], ids=["httpx", "httpcore"])
def test_errors_below_httpx_are_mapped(foreign: Any, original: Exception, cls: type[RedcoreError]) -> None:
    """Errors of the operating system, an event loop or a codec are mapped too."""
    with pytest.raises(cls), our_errors(1.0, foreign):
        raise original


def test_an_answer_of_a_proxy(call: Colour, make: Any, server: Loopback) -> None:
    """A gateway's HTML error keeps its status."""
    server.script(Reply(502, b"<html>Bad gateway</html>"))

    with pytest.raises(RedcoreAPIError) as caught:
        call(make(max_retries=0).users.get_me)

    assert (caught.value.status_code, caught.value.code) == (502, "HTTP_502")


def test_an_answer_with_odd_headers(call: Colour, make: Any, server: Loopback) -> None:
    """Headers that are not ASCII, repeated or absurd do no harm."""
    odd = {"X-RateLimit-Reset": "9" * 400, "X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-Name": "\xff"}
    server.script(reply({"data": dict(USER)}, 200, **{**odd, "Date": "never", "Retry-After": "-1"}))

    assert call(make().users.get_me).id == "usr_1"
