"""Converts requests and response headers between the SDK and httpcore. Performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import httpcore

from redcore._base.response import Headers
from redcore._transport.address import Address
from redcore._transport.body_reader import ACCEPT_ENCODING, BODILESS, announces_body
from redcore._wire.encoding import Request

GZIP, IDENTITY = ACCEPT_ENCODING.encode(), b"identity"


def origin_of(where: Address) -> httpcore.Origin:
    """The origin as an httpcore object."""
    return httpcore.Origin(where.scheme.encode(), where.host.encode(), where.port)


class Whole:
    """A body in memory. httpcore's own is a generator: trio warns about one that is not exhausted."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._content,))

    def __aiter__(self) -> Once:
        return Once(self._content)


class Once:
    """Yields one chunk."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    async def __anext__(self) -> bytes:
        """Return the chunk, the first time."""
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content

    def __aiter__(self) -> Self:
        return self


def on_the_wire(request: Request, where: Address, target: str, encoding: bytes = GZIP) -> httpcore.Request:
    """Make an httpcore request that accepts a content encoding."""
    headers = [(b"Host", where.header.encode()), (b"Accept-Encoding", encoding)]
    headers += [(name.encode("ascii"), value.encode("ascii")) for name, value in request.headers.items()]
    content: Any = request.content
    if isinstance(content, bytes):
        headers.append((b"Content-Length", str(len(content)).encode()))
        content = Whole(content)
    elif content is None:
        content = Whole(b"")
        if request.method in {"POST", "PUT", "PATCH"}:
            headers.append((b"Content-Length", b"0"))
    url = httpcore.URL(
        scheme=where.scheme.encode(), host=where.host.encode(), port=where.port, target=target.encode("ascii")
    )
    return httpcore.Request(request.method, url, headers=headers, content=content)


def headers_of(response: httpcore.Response) -> Headers:
    """The headers of an answer."""
    return Headers.of_pairs((name.decode("ascii"), value.decode("latin-1")) for name, value in response.headers)


def may_keep(connection: Any, answer: httpcore.Response) -> bool:
    """Whether a connection is in sync: no data was received after the response.

    httpcore does not expose what its parser has read ahead, so this reads a private attribute.
    """
    if answer.status in BODILESS and announces_body(headers_of(answer)):
        return False
    while (inner := getattr(connection, "_connection", None)) is not None:  # a connection through a proxy
        connection = inner
    return not connection._h11_state.trailing_data[0]  # noqa: SLF001 (see above)
