"""Sends over httpx while a test tool has patched it (see `interception`): any other way would bypass the mock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._transport.address import address, split
from redcore._transport.errors import closed
from redcore._transport.interception import AWAITED, BLOCKING, is_intercepted
from redcore._transport.protocols import AsyncTransport, Transport
from redcore._transport.proxies import proxy_for
from redcore._transport.stand_in import STAGE
from redcore._transport.tls import Tls
from redcore._wire.encoding import Request

if TYPE_CHECKING:
    import httpx

    from redcore._transport.per_loop import PerLoop


class MockableTransport:
    """See `Transport`.

    Args:
        own: What sends while nothing is patched.
    """

    def __init__(self, own: Transport) -> None:
        self._own = own
        self._httpx: httpx.Client | None = None

    @property
    def closed(self) -> bool:
        """Whether it refuses to send."""
        return self._own.closed

    def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt."""
        if is_intercepted(BLOCKING):
            return self._over_httpx(request.url).send(request, timeout_s)
        if STAGE.refuse is not None:
            STAGE.refuse(request.url)
        return self._own.send(request, timeout_s)

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """Make one attempt with a streamed body, up to the header of the response."""
        if is_intercepted(BLOCKING):
            return self._over_httpx(request.url).stream(request, silence_s, ends_in_s)
        if STAGE.refuse is not None:
            STAGE.refuse(request.url)
        return self._own.stream(request, silence_s, ends_in_s)

    def _over_httpx(self, url: str) -> Transport:
        if self.closed:
            raise closed()
        import httpx  # noqa: PLC0415 (needed only here)

        from redcore._transport.httpx_client import GivenTransport  # noqa: PLC0415 (as above)

        if self._httpx is None:
            self._httpx = httpx.Client(**options(url, httpx.HTTPTransport))
        return GivenTransport(self._httpx)

    def close(self) -> None:
        """Close the transport and its connections."""
        self._own.close()
        if self._httpx is not None:
            self._httpx.close()


class AsyncMockableTransport:
    """See `AsyncTransport`.

    Args:
        own: What sends while nothing is patched.
    """

    def __init__(self, own: AsyncTransport) -> None:
        from redcore._transport.per_loop import PerLoop  # noqa: PLC0415 (blocking code needs no asyncio)

        self._own = own
        # A mock may let requests through, or record them: then there are connections, which work in one loop only.
        self._httpx: PerLoop[httpx.AsyncClient] = PerLoop(lambda http: http.aclose())

    @property
    def closed(self) -> bool:
        """Whether it refuses to send."""
        return self._own.closed

    async def send(self, request: Request, timeout_s: float) -> Response:
        """Make one attempt."""
        if is_intercepted(AWAITED):
            return await (await self._over_httpx(request.url)).send(request, timeout_s)
        if STAGE.refuse is not None:
            STAGE.refuse(request.url)
        return await self._own.send(request, timeout_s)

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """Make one attempt with a streamed body, up to the header of the response."""
        if is_intercepted(AWAITED):
            return await (await self._over_httpx(request.url)).stream(request, silence_s, ends_in_s)
        if STAGE.refuse is not None:
            STAGE.refuse(request.url)
        return await self._own.stream(request, silence_s, ends_in_s)

    async def _over_httpx(self, url: str) -> AsyncTransport:
        if self.closed:
            raise closed()
        import httpx  # noqa: PLC0415 (as above)

        from redcore._transport.httpx_client import AsyncGivenTransport  # noqa: PLC0415 (as above)

        http = self._httpx.here()
        if http is None:
            http = await self._httpx.keep(httpx.AsyncClient(**options(url, httpx.AsyncHTTPTransport)))
        return AsyncGivenTransport(http)

    async def aclose(self) -> None:
        """Close the transport and its connections."""
        await self._own.aclose()
        await self._httpx.drop()


def options(url: str, transport: Any) -> dict[str, Any]:
    """The arguments of a client of httpx that reaches a URL as the SDK's own connections do: a mock may let it through.

    httpx itself cannot read all forms of the variables, and would send tokens to `HTTP_PROXY` in the clear.
    """
    import httpx  # noqa: PLC0415 (as above)

    settings = Tls().now()
    where = address(split(url)[0])
    proxy = proxy_for(where.scheme, where.host, where.port)
    mounts: dict[str, Any] = {}
    if proxy is not None and not proxy.is_socks:  # of which httpx needs a package
        place = httpx.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port)
        through = httpx.Proxy(place, headers=proxy.authorization)
        mounts["https://"] = transport(verify=settings, proxy=through)
    return {"verify": settings, "trust_env": False, "mounts": mounts}
