"""The default transports: direct, or through httpx if a test has patched it (see `interception`)."""

from __future__ import annotations

import httpx

from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._transport.direct_asyncio import AsyncDirectTransport
from redcore._transport.direct_sync import DirectTransport
from redcore._transport.errors import closed
from redcore._transport.httpx_client import AsyncGivenTransport, GivenTransport
from redcore._transport.interception import AWAITED, BLOCKING, is_intercepted
from redcore._wire.encoding import Request


class DefaultTransport(DirectTransport):
    """See `Transport`."""

    _httpx: httpx.Client | None = None

    def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        if is_intercepted(BLOCKING):
            return self._over_httpx().send(request, timeout_s)
        return super().send(request, timeout_s)

    def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> Incoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        if is_intercepted(BLOCKING):
            return self._over_httpx().stream(request, silence_s, ends_in_s)
        return super().stream(request, silence_s, ends_in_s)

    def _over_httpx(self) -> GivenTransport:
        if self.closed:
            raise closed()
        if self._httpx is None:
            self._httpx = httpx.Client(verify=self._tls.now())
        return GivenTransport(self._httpx)

    def close(self) -> None:
        """Send no more, and close the connections; a second time does nothing."""
        super().close()
        if self._httpx is not None:
            self._httpx.close()


class AsyncDefaultTransport(AsyncDirectTransport):
    """See `AsyncTransport`."""

    _httpx: httpx.AsyncClient | None = None

    async def send(self, request: Request, timeout_s: float) -> Response:
        """One attempt."""
        if is_intercepted(AWAITED):
            return await self._over_httpx().send(request, timeout_s)
        return await super().send(request, timeout_s)

    async def stream(self, request: Request, silence_s: float, ends_in_s: float | None) -> AsyncIncoming:
        """One attempt of which a body is streamed, up to the header of the answer."""
        if is_intercepted(AWAITED):
            return await self._over_httpx().stream(request, silence_s, ends_in_s)
        return await super().stream(request, silence_s, ends_in_s)

    def _over_httpx(self) -> AsyncGivenTransport:
        if self.closed:
            raise closed()
        if self._httpx is None:
            self._httpx = httpx.AsyncClient(verify=self._tls.now())
        return AsyncGivenTransport(self._httpx)

    async def aclose(self) -> None:
        """Send no more, and close the connections; a second time does nothing."""
        await super().aclose()
        if self._httpx is not None:
            await self._httpx.aclose()
