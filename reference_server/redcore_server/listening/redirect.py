"""Tells who comes by plain HTTP where TLS is spoken."""

from __future__ import annotations

import attrs
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


@attrs.frozen
class RedirectToTls:
    """An ASGI app that answers every request with 301 (contract section 2).

    Attributes:
        origin: The server's own, whatever name the client used: it must not be sent to anybody else's.
    """

    origin: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the same path and query under the origin."""
        query = scope["query_string"]
        location = f"{self.origin}{scope['raw_path'].decode()}" + (f"?{query.decode()}" if query else "")
        await Response(status_code=301, headers={"Location": location})(scope, receive, send)
