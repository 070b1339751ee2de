"""Redirects plain HTTP to the same URL over TLS."""

from __future__ import annotations

from typing import Final

import attrs
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from redcore_server.clock import Clock
from redcore_server.http import edge
from redcore_server.http.access_log import log_request
from redcore_server.http.context import REQUEST_ID
from redcore_server.http.exchange import Exchange

_CLOCK: Final = Clock()


@attrs.frozen
class RedirectToTls:
    """An ASGI app that answers every request with 301 (contract section 2).

    Attributes:
        origin: The server's configured origin, not the name the client used: that could redirect to another server.
    """

    origin: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the same path and query under the origin."""
        exchange = Exchange(scope, send, _CLOCK)
        REQUEST_ID.set(scope, exchange.request_id)
        try:
            await edge.answer(self._redirect, scope, receive, exchange.send)
        finally:
            log_request(scope, exchange)

    async def _redirect(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        location = f"{self.origin}{scope['raw_path'].decode()}" + (f"?{query.decode()}" if query else "")
        await Response(status_code=301, headers={"Location": location})(scope, receive, send)
