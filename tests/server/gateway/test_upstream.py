"""What a gateway forwards to another process, and how it treats one that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from redcore_server.errors import RequestTimeout, ServiceUnavailable
from redcore_server.gateway.upstream import Upstream, open_session
from redcore_server.http import context

pytestmark = pytest.mark.anyio

REQUEST_ID = "0b7f3c1e-5d2a-4f6b-8c9d-0e1f2a3b4c5d"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def service(handle: Handler) -> AsyncIterator[Upstream]:
    """Run a service with this handler of connections; yield its client."""

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle(reader, writer)
        writer.close()

    async with await asyncio.start_server(handled, "127.0.0.1", 0) as server, open_session() as session:
        yield Upstream(session, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")


@attrs.define
class Answer:
    """The answer that the client gets."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


def receiving(*events: Message | Exception) -> Callable[[], Awaitable[Message]]:
    """Make a `receive` with these events, and then none."""
    left = list(events)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        event = left.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    return receive


def piece(body: bytes, *, more_body: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more_body}


def scope_of(method: str, path: bytes, headers: Sequence[tuple[bytes, bytes]] = (), query: bytes = b"") -> Any:
    return {
        "type": "http",
        "method": method,
        "raw_path": path,
        "query_string": query,
        "headers": list(headers),
        "scheme": "https",
        "client": ("203.0.113.7", 1),
        context.REQUEST_ID.name: REQUEST_ID,
    }


async def passed(upstream: Upstream, scope: Any, *events: Message | Exception) -> Answer:
    """Return the answer to a request with these events."""
    answer = Answer()
    await upstream(scope, receiving(*events), answer.send)
    return answer


async def test_a_request_is_forwarded() -> None:
    """Method, path, query and headers; headers of the gateway replace those of the client."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n"))
        writer.write(OK)

    headers = [
        (b"host", b"api.example.com"),
        (b"authorization", b"Bearer secret"),
        (b"connection", b"keep-alive, x-hop"),
        (b"x-hop", b"1"),
        (b"te", b"trailers"),
        (b"x-forwarded-for", b"198.51.100.1"),
        (b"forwarded", b"for=198.51.100.1"),
        (b"x-request-id", b"other"),
    ]
    async with service(handle) as upstream:
        answer = await passed(upstream, scope_of("GET", b"/v1/users/a%2Fb", headers, b"q=%C3%A9&q=2"))

    assert (answer.status, answer.body) == (200, b"ok")
    assert seen[0] == b"GET /v1/users/a%2Fb?q=%C3%A9&q=2 HTTP/1.1"
    forwarded = {line.partition(b": ")[0].lower(): line.partition(b": ")[2] for line in seen[1:] if line}
    assert forwarded == {
        b"host": b"api.example.com",
        b"authorization": b"Bearer secret",
        b"x-forwarded-for": b"203.0.113.7",
        b"x-forwarded-proto": b"https",
        b"x-request-id": REQUEST_ID.encode(),
    }


async def test_an_answer_is_forwarded() -> None:
    """Every header as often as it is there, except those of the connection and those that the gateway adds."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 302 Found\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nLocation: /elsewhere\r\nDate: x\r\n"
            b"X-Request-ID: y\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nraw\r\n0\r\n\r\n"
        )

    async with service(handle) as upstream:
        answer = await passed(upstream, scope_of("GET", b"/"))

    assert (answer.status, answer.body) == (302, b"raw")
    assert answer.headers == [
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"location", b"/elsewhere"),
        (b"content-encoding", b"gzip"),
    ]


@pytest.mark.parametrize("headers", [[(b"content-length", b"6")], [(b"transfer-encoding", b"chunked")]])
async def test_a_body_is_forwarded_in_pieces(headers: list[tuple[bytes, bytes]]) -> None:
    """With its Content-Length if the client declared one, otherwise in chunks."""
    seen = b""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        while b"def" not in seen:
            seen += await reader.read(1000)
        writer.write(OK)

    async with service(handle) as upstream:
        await passed(upstream, scope_of("POST", b"/", headers), piece(b"abc"), piece(b"def", more_body=False))

    head, _, body = seen.partition(b"\r\n\r\n")
    is_chunked = headers[0][0] == b"transfer-encoding"
    assert (b"content-length: 6" in head.lower(), b"chunked" in head) == (not is_chunked, is_chunked)
    assert body.startswith(b"3\r\nabc\r\n3\r\ndef" if is_chunked else b"abcdef")


async def stubborn(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read forever, and answer nothing."""
    while await reader.read(1000):
        pass


@pytest.mark.parametrize(
    ("event", "error"),
    [(RequestTimeout(), RequestTimeout), ({"type": "http.disconnect"}, ClientDisconnect)],
    ids=["slow", "gone"],
)
async def test_a_body_that_breaks_off_is_a_client_error(event: Any, error: type[Exception]) -> None:
    """It is not reported as a service that is down."""
    async with service(stubborn) as upstream:
        with pytest.raises(error):
            await passed(upstream, scope_of("POST", b"/", [(b"content-length", b"6")]), piece(b"abc"), event)


async def dropping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up on a request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_no_request_is_retried(method: str) -> None:
    """A service that hangs up is a 503, and only the client knows whether to retry."""
    count = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await dropping(reader, writer)

    async with service(handle) as upstream:
        with pytest.raises(ServiceUnavailable):
            await passed(upstream, scope_of(method, b"/v1/users/usr_1"))

    assert count == 1


async def test_an_answer_that_breaks_off_is_not_completed() -> None:
    """The client must not take half an answer for a whole one."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    async with service(handle) as upstream:
        with pytest.raises(Exception, match="payload"):
            await passed(upstream, scope_of("GET", b"/"))
