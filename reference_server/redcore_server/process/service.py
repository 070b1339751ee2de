"""A service behind a gateway in another process: takes over the request id, renders errors, answers probes.

It believes no gateway who the caller is: the API checks bearer tokens itself (docs/adr/0034-roles-in-processes.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from redcore_server.auth.credentials.principal import PRINCIPAL, Verifier
from redcore_server.clock import Clock
from redcore_server.errors import NotFound
from redcore_server.gateway.readiness import Readiness
from redcore_server.http import edge
from redcore_server.http.bearer import bearer_token
from redcore_server.http.context import REQUEST_ID
from redcore_server.http.exchange import Exchange


@attrs.frozen(kw_only=True)
class Inner:
    """An ASGI app.

    Attributes:
        apps: What answers, by the beginning of the path; the first that fits.
        readiness: What `/readyz` answers.
        clock: The server's.
    """

    apps: Mapping[str, ASGIApp]
    readiness: Readiness
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever goes wrong."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, send, self.clock)
        REQUEST_ID.set(scope, exchange.request_id)
        await edge.answer(self._serve, scope, receive, exchange.send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope["path"])(scope, receive, send)

    def _app(self, path: str) -> ASGIApp:
        if path == "/healthz":
            return JSONResponse({"status": "ok"})
        if path == "/readyz":
            return self._ready
        for beginning, app in self.apps.items():
            if path.startswith(beginning):
                return app
        raise NotFound

    async def _ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self.readiness.answer(scope["query_string"]))(scope, receive, send)


@attrs.frozen
class Verified:
    """An ASGI app that lets nobody through whose bearer token is not good.

    Attributes:
        verifier: Of bearer tokens.
        app: What finds the caller in the scope, as `PRINCIPAL`.
    """

    verifier: Verifier
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on.

        Raises:
            InvalidToken: With its subclasses, see `Verifier`.
            ServiceUnavailable: A store that must be asked does not answer.
        """
        PRINCIPAL.set(scope, await self.verifier.verify(bearer_token(scope)))
        await self.app(scope, receive, send)
