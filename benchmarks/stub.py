"""A server that answers with precomputed bytes, so that the client is what is measured.

Under `/slow` it answers a listing of 10,000 users page by page, each after 20 ms.

    python benchmarks/stub.py     # prints `ready ORIGIN` and serves until it is ended
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from typing import cast
from urllib.parse import parse_qs, urlsplit

import uvloop

from payloads import ANSWERS, PAGE, TOTAL, encoded, users

DELAY_S = 0.02
HEAD = (
    "HTTP/1.1 200 OK\r\n"
    f"Date: {formatdate(usegmt=True)}\r\n"
    "Content-Type: application/json\r\n"
    "X-Request-ID: req_0123456789abcdef\r\n"
    "X-RateLimit-Limit: 1000\r\n"
    "X-RateLimit-Remaining: 999\r\n"
    f"X-RateLimit-Reset: {int(time.time()) + 60}\r\n"
)


def whole(answer: object) -> bytes:
    """Return the answer with its header."""
    body = encoded(answer)
    return f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body


ANSWERED = {asked: whole(answer) for asked, answer in ANSWERS.items()}
PAGES = {offset: whole(users(offset)) for offset in range(0, TOTAL, PAGE)}


@lru_cache
def route(line: bytes, operation: bytes) -> tuple[bytes, float]:
    """Return the answer to a request line, or to an operation of Amazon's, and its delay in seconds."""
    method, url, _ = line.decode().split()
    parts = urlsplit(url)
    if parts.path == "/slow/v1/users":
        return PAGES[int(parse_qs(parts.query).get("offset", ["0"])[0])], DELAY_S
    return ANSWERED[f"{method} {operation.decode() or parts.path}"], 0.0


class Stub(asyncio.Protocol):
    """One connection, with one request after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer when the request is complete."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        named = {name.lower(): value for name, _, value in (field.partition(b": ") for field in fields)}
        if not end or len(body) < int(named.get(b"content-length", b"0")):
            return
        self._received = b""
        answer, delay_s = route(line, named.get(b"x-amz-target", b""))
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def serve() -> None:
    """Serve on a free port of loopback, and print its address."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=2048)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        uvloop.run(serve())
