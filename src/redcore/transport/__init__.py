"""From a request to an answer: one attempt; no retry, no authentication, no redirect.

`pool` is the SDK's own, straight over httpcore; `given` sends over the httpx client that an application brings. Both
bound the whole attempt in time and the body in size, and every error of the libraries leaves as one of ours.
"""

from __future__ import annotations

from typing import Protocol

import httpx

from redcore._operation import Request
from redcore._response import Response
from redcore.transport.given import AsyncGivenTransport, GivenTransport


class Transport(Protocol):
    """Sends requests, for code that blocks."""

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt.

        Raises:
            NetworkError: no answer came in time.
            ResponseError: the answer is too large or its encoding broken.
            RedcoreError: the transport is closed.
        """
        ...

    def close(self) -> None:
        """Send no more, and close the connections if they are ours; a second time does nothing."""
        ...


class AsyncTransport(Protocol):
    """Sends requests, for asyncio and trio; as `Transport`, awaited."""

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        ...

    async def aclose(self) -> None:
        """Send no more, and close the connections if they are ours; a second time does nothing."""
        ...


def open_transport(given: httpx.Client | None) -> Transport:
    """A transport over the given client, or with a pool of its own.

    Raises:
        ConfigurationError: a variable about proxies or certificates cannot be used.
    """
    if given is not None:
        return GivenTransport(given)
    from redcore.transport.pool import PoolTransport  # noqa: PLC0415 (see there)

    return PoolTransport()


def open_async_transport(given: httpx.AsyncClient | None) -> AsyncTransport:
    """As `open_transport`, awaited."""
    if given is not None:
        return AsyncGivenTransport(given)
    from redcore.transport.pool import AsyncPoolTransport  # noqa: PLC0415 (see there)

    return AsyncPoolTransport()
