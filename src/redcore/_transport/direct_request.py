"""Writes the head of a request, and frames a body that is sent piece by piece (RFC 9112). Performs no I/O."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

from redcore._transport.httpcore_request import Address
from redcore._wire.encoding import Request
from redcore._wire.multipart import Multipart
from redcore.exceptions import ArgumentError

HAVE_BODIES = {"POST", "PUT", "PATCH"}


def head(request: Request, where: Address, target: str, encoding: str) -> bytes:
    """The head of a request that asks for a content encoding.

    Raises:
        ArgumentError: the target or a header has characters that cannot be sent.
    """
    if not are_sendable([target]) or " " in target:
        raise ArgumentError("the address of the call is no valid URL")
    if not are_sendable([*request.headers.values()]):  # which may be secret: they are not quoted
        raise ArgumentError("a header of the call cannot be sent")
    lines = [
        f"{request.method} {target} HTTP/1.1\r\nHost: {where.header.decode()}\r\nAccept-Encoding: {encoding}\r\n",
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
    """A request whose body is all there, if it has one."""
    content = request.content
    begun = head(request, where, target, encoding)
    return begun + content if isinstance(content, bytes) else begun


def are_sendable(texts: list[str]) -> bool:
    """Whether texts can stand in a head: no character of them ends a line, and they are read as they are written."""
    joined = "".join(texts)
    return joined.isascii() and joined.replace("\t", " ").isprintable() and texts == [*map(str.strip, texts)]


class Framing:
    """Frames the pieces of a body, as the headers of its request say.

    Args:
        request: Has `Content-Length`, or `Transfer-Encoding: chunked`.
    """

    def __init__(self, request: Request) -> None:
        length = request.headers.get("Content-Length")
        self._left = None if length is None else int(length)

    def frame(self, piece: bytes) -> bytes:
        """A piece as it is sent.

        Raises:
            ArgumentError: there is more than the length says; the server would take it for the next request.
        """
        if self._left is None:
            return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
        self._left -= len(piece)
        if self._left < 0:
            raise ArgumentError("the body became longer while it was sent")
        return piece

    def end(self) -> bytes:
        """What follows the last piece.

        Raises:
            ArgumentError: there is less than the length says.
        """
        if self._left is None:
            return b"0\r\n\r\n"
        if self._left:
            raise ArgumentError(f"the body became {self._left} bytes shorter while it was sent")
        return b""


def pieces(request: Request, where: Address, target: str) -> Iterator[bytes]:
    """A request piece by piece, beginning with its head; its answer is not to be compressed."""
    yield whole(request, where, target, "identity")
    if isinstance(request.content, Multipart):
        framing = Framing(request)
        yield from map(framing.frame, request.content)
        yield framing.end()


async def async_pieces(request: Request, where: Address, target: str) -> AsyncGenerator[bytes]:
    """As `pieces`, awaited."""
    yield whole(request, where, target, "identity")
    if isinstance(request.content, Multipart):
        framing = Framing(request)
        async for piece in request.content:
            yield framing.frame(piece)
        yield framing.end()
