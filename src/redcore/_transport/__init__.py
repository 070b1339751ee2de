"""From a request to an answer: one attempt; no retry, no authentication, no redirect.

`pool` is the SDK's own, straight over httpcore; `over_aiohttp` is for many concurrent calls; `given` sends over the
httpx or httpx2 client that an application brings. All bound the whole attempt in time and the answer in size, or each
silence of one that streams, and every error of the libraries leaves as one of ours.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import ClassVar, Protocol

from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._transport.httpx_client import AsyncGivenTransport, GivenTransport
from redcore._wire.encoding import Request
from redcore.exceptions import ConfigurationError
from redcore.options import AsyncHttpClient, HttpClient


class Transport(Protocol):
    """Sends requests, for code that blocks."""

    name: ClassVar[str | None]
    """`transport=` of such a client; `given` for one that an application brings, which is never ours to make again."""

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

    name: ClassVar[str | None]

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        ...

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        ...

    async def aclose(self) -> None:
        """Send no more, and close the connections if they are ours; a second time does nothing."""
        ...


def open_transport(given: HttpClient | None) -> Transport:
    """A transport over the given client, or with connections of its own.

    Raises:
        ConfigurationError: the client is none that can be used, or a variable about proxies or certificates cannot be.
    """
    if given is not None:
        return GivenTransport(given)
    from redcore._transport.pool import PoolTransport  # noqa: PLC0415 (see there)

    return PoolTransport()


def open_async_transport(given: AsyncHttpClient | None, name: str | None) -> AsyncTransport:
    """As `open_transport`, awaited; the name is that of the library that makes connections, None for the default.

    Raises:
        ConfigurationError: as above; or the name is none, or its library is not installed, or there are both.
    """
    if name not in {None, "aiohttp"}:
        raise ConfigurationError(f'transport must be "aiohttp" or None; got {name!r}')
    if given is not None and name is not None:
        raise ConfigurationError("give either transport or http_client, not both: each of them sends the requests")
    if given is not None:
        return AsyncGivenTransport(given)
    if name == "aiohttp":
        if find_spec("aiohttp") is None:
            raise ConfigurationError("transport=\"aiohttp\" needs aiohttp: run `pip install 'redcore-sdk[aiohttp]'`")
        from redcore._transport.aiohttp_client import AiohttpTransport  # noqa: PLC0415 (an extra)

        return AiohttpTransport()
    from redcore._transport.pool import AsyncPoolTransport  # noqa: PLC0415 (see there)

    return AsyncPoolTransport()
