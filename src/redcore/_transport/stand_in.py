"""Replaces the network for every client of this process: a fake platform in an application's tests.

Inactive unless `redcore.testing` sets a stand-in; a client checks before each step. A client that is made meanwhile
opens its own transport only if it outlives the stand-in, as most of the time that a client's creation takes is the
import of HTTP libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import ClassVar, Generic, Protocol, TypeVar

from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._transport.errors import closed
from redcore._transport.protocols import AsyncTransport, Transport
from redcore._wire.encoding import Request

TransportT = TypeVar("TransportT")


class StandIn(Protocol):
    """Responds instead of the network."""

    blocking: Transport
    awaited: AsyncTransport


class Stage:
    """Holds the current stand-in, and what refuses a URL before any of the SDK's own transports sends to it."""

    stand_in: StandIn | None = None
    refuse: Callable[[str], None] | None = None


STAGE = Stage()


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
