"""Serializes the head of a request, and frames a streamed body (RFC 9112). Performs no I/O."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

from redcore._transport.address import Address
from redcore._wire.encoding import Request
from redcore._wire.multipart import Multipart
from redcore.exceptions import ArgumentError

HAVE_BODIES = {"POST", "PUT", "PATCH"}


def head(request: Request, where: Address, target: str, encoding: str) -> bytes:
    """The head of a request that accepts a content encoding.

    Raises:
        ArgumentError: the target or a header contains characters that cannot be sent.
    """
    if not are_sendable([target, *request.headers.values()]) or " " in target:
        if not are_sendable([target]) or " " in target:
            raise ArgumentError("the address of the call is not a valid URL")
        raise ArgumentError("a header of the call cannot be sent")  # not quoted, as it may be secret
    lines = [
        f"{request.method} {target} HTTP/1.1\r\nHost: {where.header}\r\nAccept-Encoding: {encoding}\r\n",
    ]
    lines += [f"{name}: {value}\r\n" for name, value in request.headers.items()]
    content = request.content
    if isinstance(content, bytes):
        lines.append(f"Content-Length: {len(content)}\r\n")
    elif content is None and request.method in HAVE_BODIES:
        lines.append("Content-Length: 0\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("ascii")


def whole(request: Request, where: Address, target: str, encoding: str) -> bytes:
    """Serialize a request whose body, if any, is in memory."""
    content = request.content
    begun = head(request, where, target, encoding)
    return begun + content if isinstance(content, bytes) else begun


def are_sendable(texts: list[str]) -> bool:
    """Whether texts are safe in a head: no line breaks, and no characters that are decoded differently."""
    joined = "".join(texts)
    return joined.isascii() and joined.replace("\t", " ").isprintable() and texts == [*map(str.strip, texts)]


class Framing:
    """Frames the chunks of a body according to the headers of its request.

    Args:
        request: Has `Content-Length`, or `Transfer-Encoding: chunked`.
    """

    def __init__(self, request: Request) -> None:
        length = request.headers.get("Content-Length")
        self._left = None if length is None else int(length)

    def frame(self, piece: bytes) -> bytes:
        """Frame a chunk.

        Raises:
            ArgumentError: the body is longer than its length; the server would parse the rest as the next request.
        """
        if self._left is None:
            return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
        self._left -= len(piece)
        if self._left < 0:
            raise ArgumentError("the body became longer while it was sent")
        return piece

    def end(self) -> bytes:
        """Return the bytes after the last chunk.

        Raises:
            ArgumentError: the body is shorter than its length.
        """
        if self._left is None:
            return b"0\r\n\r\n"
        if self._left:
            raise ArgumentError(f"the body became {self._left} bytes shorter while it was sent")
        return b""


def pieces(request: Request, where: Address, target: str) -> Iterator[bytes]:
    """Yield a request in chunks, beginning with its head; requests an uncompressed response."""
    yield whole(request, where, target, "identity")
    if isinstance(request.content, Multipart):
        framing = Framing(request)
        yield from map(framing.frame, request.content)
        yield framing.end()


async def async_pieces(request: Request, where: Address, target: str) -> AsyncGenerator[bytes]:
    """Like `pieces`, awaited."""
    yield whole(request, where, target, "identity")
    if isinstance(request.content, Multipart):
        framing = Framing(request)
        async for piece in request.content:
            yield framing.frame(piece)
        yield framing.end()
