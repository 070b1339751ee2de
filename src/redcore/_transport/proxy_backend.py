"""Network backends for httpcore that connect to a proxy: its errors are ProxyError, and SOCKS is spoken here.

httpcore's own SOCKS client takes every reply in one piece, fails with an AssertionError otherwise, and leaves the
socket of a refusal open.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import anyio
import attrs
import httpcore

from redcore._transport.proxies import Proxy
from redcore._transport.socks import dialogue

SOCKS_PORT = 1080  # RFC 1928 section 3


@attrs.frozen
class ProxyBackend(httpcore.NetworkBackend):
    """Connects to an HTTP proxy, or through a SOCKS proxy, for blocking calls."""

    _inner: httpcore.NetworkBackend
    _proxy: Proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 (we ask for none)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 (as above)
    ) -> httpcore.NetworkStream:
        """Connect."""
        proxy = self._proxy
        with proxy_errors():
            if not proxy.is_socks:
                return self._inner.connect_tcp(host, port, timeout)
            stream = self._inner.connect_tcp(proxy.host, proxy.port or SOCKS_PORT, timeout)
            try:
                talk = dialogue(host, port, proxy.login)
                said = next(talk, None)
                while said is not None:
                    received = b""
                    if isinstance(said, bytes):
                        stream.write(said, timeout)
                    else:
                        while len(received) < said:
                            received += some(stream.read(said - len(received), timeout))
                    said = answered(talk, received)
            except BaseException:
                stream.close()
                raise
            return stream


@attrs.frozen
class AsyncProxyBackend(httpcore.AsyncNetworkBackend):
    """Like `ProxyBackend`, awaited."""

    _inner: httpcore.AsyncNetworkBackend
    _proxy: Proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
        local_address: str | None = None,  # noqa: ARG002 (we ask for none)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 (as above)
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        proxy = self._proxy
        with proxy_errors():
            if not proxy.is_socks:
                return await self._inner.connect_tcp(host, port, timeout)
            stream = await self._inner.connect_tcp(proxy.host, proxy.port or SOCKS_PORT, timeout)
            try:
                talk = dialogue(host, port, proxy.login)
                said = next(talk, None)
                while said is not None:
                    received = b""
                    if isinstance(said, bytes):
                        await stream.write(said, timeout)
                    else:
                        while len(received) < said:
                            received += some(await stream.read(said - len(received), timeout))
                    said = answered(talk, received)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await stream.aclose()
                raise
            return stream


@contextmanager
def proxy_errors() -> Generator[None]:
    """Tell errors of the proxy from those of the origin."""
    try:
        yield
    except TimeoutError:  # which is an OSError
        raise
    except (OSError, httpcore.NetworkError) as problem:
        raise httpcore.ProxyError(str(problem)) from problem


def answered(talk: Generator[bytes | int, bytes, None], received: bytes) -> bytes | int | None:
    """The next step of a dialogue; None at its end."""
    try:
        return talk.send(received)
    except StopIteration:
        return None


def some(data: bytes) -> bytes:
    """Received bytes.

    Raises:
        ConnectionError: there are none: the connection has ended.
    """
    if not data:
        raise ConnectionError("it closed the connection")
    return data
