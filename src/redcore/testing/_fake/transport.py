"""Brings requests of the SDK to the fake platform: no socket, no thread, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs
from anyio.lowlevel import checkpoint

from redcore._base.response import Headers, Response
from redcore._wire.encoding import Request
from redcore.exceptions import NetworkError, RequestTimeoutError
from redcore.testing._fake.call import Answer, Asked


@attrs.frozen
class Delivery:
    """What comes back for a request."""

    answer: Answer
    is_truncated: bool = False
    """Whether the connection breaks in the middle of the body."""


Deliver = Callable[[Asked, float], Delivery]
"""Answers a request that may take some seconds.

Raises:
    NetworkError: the connection breaks, or the answer would come too late.
"""


def asked(request: Request, content: bytes) -> Asked:
    """A request as the platform sees it."""
    url = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    origin = f"{url.scheme}://{url.netloc}"
    return Asked(request.method, origin, url.path, url.query, headers, content)


def response(delivery: Delivery) -> Response:
    """The whole answer."""
    if delivery.is_truncated:
        raise broken()
    answer = delivery.answer
    return Response(answer.status, Headers(answer.headers), answer.content)


def broken() -> NetworkError:
    """The error of a connection that ended too early."""
    return NetworkError("no answer: the connection was closed before the answer was complete (a fault of the test)")


def late(timeout_s: float) -> RequestTimeoutError:
    """The error of an answer that is delayed for too long."""
    return RequestTimeoutError(f"no complete answer within {timeout_s:g} s (a fault of the test)")


class Arriving:
    """See `Incoming` and `AsyncIncoming`: the body in two pieces, between which the connection may break."""

    def __init__(self, delivery: Delivery) -> None:
        answer = delivery.answer
        self.status_code = answer.status
        self.headers = Headers({"Content-Length": str(len(answer.content)), **answer.headers})
        half = len(answer.content) // 2
        pieces = [answer.content[:half]] if delivery.is_truncated else [answer.content[:half], answer.content[half:]]
        self._pieces = [piece for piece in pieces if piece]
        self._is_truncated = delivery.is_truncated

    def _next(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if self._is_truncated:
            raise broken()
        return b""


class BlockingArriving(Arriving):
    """As `Arriving`, for code that blocks."""

    def read(self) -> bytes:
        """The next bytes of the body; empty at its end."""
        return self._next()

    def close(self) -> None:
        """There is no connection to close."""


class AwaitedArriving(Arriving):
    """As `Arriving`, for code that awaits."""

    async def read(self) -> bytes:
        """The next bytes of the body; empty at its end."""
        await checkpoint()
        return self._next()

    async def aclose(self) -> None:
        """There is no connection to close."""


class FakeTransport:
    """See `Transport`."""

    name: ClassVar[str | None] = None
    closed: bool = False

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        return response(self._deliver(asked(request, whole(request.content)), timeout_s))

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> BlockingArriving:  # noqa: ARG002 (nothing waits)
        """One attempt of which a body is streamed."""
        return BlockingArriving(self._deliver(asked(request, whole(request.content)), silence_s))

    def close(self) -> None:
        """There is no connection to close."""


class AsyncFakeTransport:
    """See `AsyncTransport`."""

    name: ClassVar[str | None] = None
    closed: bool = False

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        await checkpoint()
        return response(self._deliver(asked(request, whole(request.content)), timeout_s))

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AwaitedArriving:  # noqa: ARG002 (nothing waits)
        """One attempt of which a body is streamed."""
        content = request.content
        if not isinstance(content, bytes | None):
            content = b"".join([piece async for piece in content])
        await checkpoint()
        return AwaitedArriving(self._deliver(asked(request, content or b""), silence_s))

    async def aclose(self) -> None:
        """There is no connection to close."""


def whole(content: Any) -> bytes:
    """A body that may have to be iterated."""
    return content or b"" if isinstance(content, bytes | None) else b"".join(content)
