"""Transports that are opened on first use, as most of the time that it takes is the import of an HTTP library."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import ClassVar, Generic, TypeVar

from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._transport.errors import closed
from redcore._transport.protocols import AsyncTransport, Transport
from redcore._wire.encoding import Request

TransportT = TypeVar("TransportT")


class Deferred(Generic[TransportT]):
    """A transport that is opened on first use."""

    name: ClassVar[str | None] = None

    def __init__(self, open_it: Callable[[], TransportT]) -> None:
        self._open_it = open_it
        self._lock = Lock()
        self._opened: TransportT | None = None
        self.closed = False

    def _now(self) -> TransportT:
        with self._lock:
            if self._opened is None:
                if self.closed:
                    raise closed()
                self._opened = self._open_it()
            return self._opened

    def begin_anew(self) -> None:
        """Forget a thread of the parent that was opening it, in a forked child."""
        self._lock = Lock()

    def _end(self) -> TransportT | None:
        with self._lock:
            self.closed = True
            return self._opened


class DeferredTransport(Deferred[Transport]):
    """See `Transport`."""

    def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt."""
        return self._now().send(request, timeout_s)

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """Make one attempt with a streamed body, up to the header of the response."""
        return self._now().stream(request, silence_s, ends_in_s)

    def close(self) -> None:
        """Close the transport if it was opened."""
        if (opened := self._end()) is not None:
            opened.close()


class AsyncDeferredTransport(Deferred[AsyncTransport]):
    """See `AsyncTransport`."""

    async def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt."""
        return await self._now().send(request, timeout_s)

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """Make one attempt with a streamed body, up to the header of the response."""
        return await self._now().stream(request, silence_s, ends_in_s)

    async def aclose(self) -> None:
        """Close the transport if it was opened."""
        if (opened := self._end()) is not None:
            await opened.aclose()
