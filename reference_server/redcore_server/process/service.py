"""A service behind a gateway in another process: adopts the request id, renders errors, answers probes and metrics.

It does not trust the gateway to identify the caller: the API checks bearer tokens itself
(docs/adr/0034-roles-in-processes.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import attrs
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from redcore_server.auth.credentials.principal import PRINCIPAL, VERIFY_AGAIN, Verifier
from redcore_server.clock import Clock
from redcore_server.errors import NotFound
from redcore_server.gateway.readiness import Readiness
from redcore_server.http import edge
from redcore_server.http.bearer import bearer_token
from redcore_server.http.context import REQUEST_ID
from redcore_server.http.exchange import Exchange


@attrs.frozen(kw_only=True)
class Service:
    """An ASGI app.

    Attributes:
        apps: Apps by path prefix; the first match answers.
        readiness: Answers `/readyz`.
    """

    apps: Mapping[str, ASGIApp]
    readiness: Readiness
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; errors become responses."""
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
        if path == "/metrics":
            return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
        for beginning, app in self.apps.items():
            if path.startswith(beginning):
                return app
        raise NotFound

    async def _ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self.readiness.answer(scope["query_string"]))(scope, receive, send)


@attrs.frozen
class Verified:
    """An ASGI app that rejects requests without a valid bearer token.

    Attributes:
        verifier: Verifies bearer tokens.
        app: App behind it, which finds the caller in the scope as `PRINCIPAL`, with `VERIFY_AGAIN`.
    """

    verifier: Verifier
    clock: Clock
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the token, then call the app.

        Raises:
            InvalidToken: Or one of its subclasses, see `Verifier`.
            ServiceUnavailable: A store needed for the check does not answer.
        """
        bearer, now = bearer_token(scope), self.clock.now()
        PRINCIPAL.set(scope, await self.verifier.verify(bearer))
        VERIFY_AGAIN.set(scope, partial(self.verifier.verify, bearer, at=now))
        await self.app(scope, receive, send)
