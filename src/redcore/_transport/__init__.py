"""Sends one request and returns its response: no retry, no authentication, no redirect.

`direct_sync` and `direct_asyncio` use plain sockets; `pool` uses httpcore's connections, for proxies and trio;
`aiohttp_client` uses aiohttp; `httpx_client` sends over the application's httpx or httpx2 client. All limit the
duration of the attempt and the size of the response (for a stream, each period of inactivity), and raise SDK errors
only.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from redcore._transport.deferred import AsyncDeferredTransport, DeferredTransport
from redcore._transport.protocols import AsyncTransport, Transport
from redcore._transport.stand_in import STAGE
from redcore._transport.tls import usable_files
from redcore.exceptions import ConfigurationError
from redcore.options import AsyncHttpClient, HttpClient

__all__ = ["AsyncTransport", "Transport", "open_async_transport", "open_transport"]

NEEDS = {
    "aiohttp": ("aiohttp", "redcore-sdk[aiohttp]"),
    "direct": ("httptools", "httptools"),
    "httpcore": ("httpcore", "httpcore"),
}
"""For each name of a transport, the module that it imports, and the package to install."""


def open_transport(given: HttpClient | None, name: str | None = None) -> Transport:
    """Make a transport over the given client, or with its own connections.

    Args:
        given: The application's client, or None.
        name: How to connect: `direct`, `httpcore`, or None for the default: `direct` if httptools is installed.

    Raises:
        ConfigurationError: the client, the name, or a variable for proxies or certificates is invalid.
    """
    check(given, name, ("direct", "httpcore"))
    if given is not None:
        from redcore._transport.httpx_client import GivenTransport  # noqa: PLC0415 (it imports httpx)

        return GivenTransport(given)
    if STAGE.stand_in is not None:
        return DeferredTransport(lambda: _open_transport(name))
    return _open_transport(name)


def _open_transport(name: str | None) -> Transport:
    from redcore._transport.mockable import MockableTransport  # noqa: PLC0415 (it imports httpcore: see `pool`)

    if name != "httpcore" and find_spec("httptools") is not None:
        from redcore._transport.direct_sync import DirectTransport  # noqa: PLC0415 (needs httptools)

        return MockableTransport(DirectTransport())
    from redcore._transport.pool import PoolTransport  # noqa: PLC0415 (see there)

    return MockableTransport(PoolTransport())


def open_async_transport(given: AsyncHttpClient | None, name: str | None = None) -> AsyncTransport:
    """Like `open_transport`, for async code; the name may also be `aiohttp`."""
    check(given, name, ("aiohttp", "direct", "httpcore"))
    if given is not None:
        from redcore._transport.httpx_client import AsyncGivenTransport  # noqa: PLC0415 (as above)

        return AsyncGivenTransport(given)
    if STAGE.stand_in is not None:
        return AsyncDeferredTransport(lambda: _open_async_transport(name))
    return _open_async_transport(name)


def _open_async_transport(name: str | None) -> AsyncTransport:
    from redcore._transport.mockable import AsyncMockableTransport  # noqa: PLC0415 (as above)

    if name == "aiohttp":
        with usable_files():  # aiohttp makes a TLS context while it is imported
            from redcore._transport.aiohttp_client import AiohttpTransport  # noqa: PLC0415 (an extra)

        return AsyncMockableTransport(AiohttpTransport())
    if name != "httpcore" and find_spec("httptools") is not None:
        from redcore._transport.direct_asyncio import AsyncDirectTransport  # noqa: PLC0415 (needs httptools)

        return AsyncMockableTransport(AsyncDirectTransport())
    from redcore._transport.pool_async import AsyncPoolTransport  # noqa: PLC0415 (see there)

    return AsyncMockableTransport(AsyncPoolTransport())


def check(given: object, name: str | None, names: Sequence[str]) -> None:
    """Check that `transport=` is valid and not combined with `http_client=`.

    Raises:
        ConfigurationError: it is invalid, or combined with `http_client=`.
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
