"""What every transport does."""

from __future__ import annotations

from typing import Protocol

from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._wire.encoding import Request


class Transport(Protocol):
    """Sends requests, blocking."""

    @property
    def closed(self) -> bool:
        """Whether it refuses to send."""
        ...

    def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt.

        Raises:
            NetworkError: no response was received in time.
            ResponseError: the response is too large, or its content encoding is invalid.
            RedcoreError: the transport is closed.
        """
        ...

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """Make one attempt with a streamed body, up to the header of the response. Requests no content encoding.

        Args:
            request: The request. Its content may be an iterable, used once; its headers then contain the framing:
                `Content-Length`, or `Transfer-Encoding: chunked`.
            silence_s: Maximum period without network activity, while sending and while reading the response.
            ends_in_s: When everything must end, including reading the response; None means no limit.

        Raises:
            NetworkError: there was no network activity for too long, or the connection broke.
            RedcoreError: the transport is closed.
            Exception: any error of the request's content while it was iterated, if the HTTP library passes it on.
        """
        ...

    def close(self) -> None:
        """Close the transport, and its connections if it owns them. Safe to call twice."""
        ...


class AsyncTransport(Protocol):
    """Like `Transport`, for asyncio and trio."""

    @property
    def closed(self) -> bool:
        """Whether it refuses to send."""
        ...

    async def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt."""
        ...

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """Make one attempt with a streamed body, up to the header of the response."""
        ...

    async def aclose(self) -> None:
        """Close the transport, and its connections if it owns them. Safe to call twice."""
        ...
