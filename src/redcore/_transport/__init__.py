"""From a request to an answer: one attempt; no retry, no authentication, no redirect.

`direct_sync` and `direct_asyncio` have sockets of their own; `pool` has httpcore's connections, for proxies and trio;
`aiohttp_client` has aiohttp's; `httpx_client` sends over the httpx or httpx2 client that an application brings. All
bound the whole attempt in time and the answer in size, or each silence of a stream, and raise errors of ours only.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Protocol

from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._transport.httpx_client import AsyncGivenTransport, GivenTransport
from redcore._wire.encoding import Request
from redcore.exceptions import ConfigurationError
from redcore.options import AsyncHttpClient, HttpClient


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

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """One attempt of which a body is streamed, up to the header of the answer. Asks for no content encoding.

        Args:
            request: What to send. Its content may be something to iterate, once; its headers then have the framing:
                `Content-Length`, or `Transfer-Encoding: chunked`.
            silence_s: How long each wait for the other side may be, while sending and while reading the answer.
            ends_in_s: When all must be over, the reading of the answer included; None is never.

        Raises:
            NetworkError: nothing moved for too long, or the connection broke.
            RedcoreError: the transport is closed.
            Exception: what the request's content raised while it was iterated, if the HTTP library lets it pass.
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

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        ...

    async def aclose(self) -> None:
        """Send no more, and close the connections if they are ours; a second time does nothing."""
        ...


NEEDS = {
    "aiohttp": ("aiohttp", "redcore-sdk[aiohttp]"),
    "direct": ("httptools", "httptools"),
    "httpcore": ("httpcore", "httpcore"),
}
"""The module that a transport of a name imports, and what to install for it."""


def open_transport(given: HttpClient | None, name: str | None = None) -> Transport:
    """A transport over the given client, or with connections of its own.

    Args:
        given: The application's client; None opens connections.
        name: What opens them: `direct`, `httpcore`, or None for the default: `direct`, if httptools is installed.

    Raises:
        ConfigurationError: the client or the name cannot be used, or a variable about proxies or certificates.
    """
    check(given, name, ("direct", "httpcore"))
    if given is not None:
        return GivenTransport(given)
    if name == "direct":
        from redcore._transport.direct_sync import DirectTransport  # noqa: PLC0415 (needs httptools)

        return DirectTransport()
    if name is None and find_spec("httptools") is not None:
        from redcore._transport.default import DefaultTransport  # noqa: PLC0415 (needs httptools)

        return DefaultTransport()
    from redcore._transport.pool import PoolTransport  # noqa: PLC0415 (see there)

    return PoolTransport()


def open_async_transport(given: AsyncHttpClient | None, name: str | None = None) -> AsyncTransport:
    """As `open_transport`, awaited; the name may also be `aiohttp`."""
    check(given, name, ("aiohttp", "direct", "httpcore"))
    if given is not None:
        return AsyncGivenTransport(given)
    if name == "aiohttp":
        from redcore._transport.aiohttp_client import AiohttpTransport  # noqa: PLC0415 (an extra)

        return AiohttpTransport()
    if name == "direct":
        from redcore._transport.direct_asyncio import AsyncDirectTransport  # noqa: PLC0415 (needs httptools)

        return AsyncDirectTransport()
    if name is None and find_spec("httptools") is not None:
        from redcore._transport.default import AsyncDefaultTransport  # noqa: PLC0415 (needs httptools)

        return AsyncDefaultTransport()
    from redcore._transport.pool import AsyncPoolTransport  # noqa: PLC0415 (see there)

    return AsyncPoolTransport()


def check(given: object, name: str | None, names: Sequence[str]) -> None:
    """Check that `transport=` can be used, and that it is not given together with `http_client=`.

    Raises:
        ConfigurationError: it cannot, or it is.
    """
    if name is None:
        return
    if name not in names:
        known = ", ".join(f'"{each}"' for each in names)
        raise ConfigurationError(f"transport must be {known} or None; got {name!r}")
    if given is not None:
        raise ConfigurationError("give either transport or http_client, not both: each of them sends the requests")
    module, package = NEEDS[name]
    if find_spec(module) is None:
        raise ConfigurationError(f"transport=\"{name}\" needs {module}: run `pip install '{package}'`")
