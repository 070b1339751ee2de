"""The gateway as an ASGI app: every request comes through here, and no answer leaves without its headers.

In order: request id, access log and metrics around everything; probes; for `/v1/` the bearer token, the rate limit
of its credential and the API; for all other addresses the rate limit of the client's address and the auth
service, the CDN or, at this machine, the outbox. It reads no body. Serve it with uvicorn's own `Date` and `Server`
headers off: the date is the clock's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import attrs
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from redcore_server.auth.principal import Verifier
from redcore_server.cdn import PREFIXES as CDN_PREFIXES
from redcore_server.clock import Clock
from redcore_server.errors import (
    ApiError,
    InvalidToken,
    NotFound,
    RateLimited,
    TokenMissing,
    respond,
)
from redcore_server.gateway.access_log import client_address, log_request
from redcore_server.gateway.exchange import Exchange, RawHeader
from redcore_server.gateway.limits import Limits, Verdict
from redcore_server.gateway.metrics import Metrics
from redcore_server.gateway.readiness import readiness
from redcore_server.lab import Lab
from redcore_server.outbox import PATH as OUTBOX_PATH
from redcore_server.outbox import OutboxPage
from redcore_server.settings import Settings
from redcore_server.spec import Spec
from redcore_server.store import Stores

_AUTH_PREFIXES: Final = ("/oauth/", "/saml/", "/.well-known/")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1


def build(
    *,
    spec: Spec,
    settings: Settings,
    stores: Stores,
    clock: Clock,
    verifier: Verifier,
    auth: ASGIApp,
    api: ASGIApp,
    cdn: ASGIApp,
) -> ASGIApp:
    """Return the app, with the lab in front of it if the settings say so.

    Args:
        spec: the contract.
        settings: of this server.
        stores: open ones.
        clock: the server's.
        verifier: of bearer tokens.
        auth: the auth service.
        api: the API.
        cdn: static files and documentation.
    """
    limits = Limits(stores.scripts, clock, settings)
    gateway = _Gateway(
        spec=spec,
        stores=stores,
        clock=clock,
        verifier=verifier,
        auth=auth,
        api=api,
        cdn=cdn,
        limits=limits,
        metrics=Metrics(),
        outbox=OutboxPage(settings.outbox) if settings.shows_outbox else None,
    )
    if not settings.lab:
        return gateway
    return Lab(gateway, stores=stores, clock=clock, limits=limits, outbox=settings.outbox)


@attrs.frozen(kw_only=True)
class _Gateway:
    spec: Spec
    stores: Stores
    clock: Clock
    verifier: Verifier
    auth: ASGIApp
    api: ASGIApp
    cdn: ASGIApp
    limits: Limits
    metrics: Metrics
    outbox: ASGIApp | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no websockets, and whoever builds the gateway opens and closes its parts
            return
        exchange = Exchange(scope, send, self.clock)
        scope["redcore.request_id"] = exchange.request_id
        try:
            await self._serve(scope, receive, exchange)
        except Exception as error:
            response = respond(error, exchange.request_id)
            if exchange.status:  # too late for another answer: the server cuts the connection
                raise
            await response(scope, receive, exchange.send)
        finally:
            self._record(scope, exchange)

    async def _serve(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        path: str = scope["path"]
        if path.startswith("/v1/"):
            await self._authenticate(scope, exchange)
            await self.api(scope, receive, exchange.send)
        elif path in {"/healthz", "/readyz", "/metrics"}:
            response = await self._probe(self.spec.find(scope["method"], scope["raw_path"]).operation.id)
            await response(scope, receive, exchange.send)
        else:
            _admit(exchange, await self.limits.spend_address(client_address(scope)))
            if path.startswith(_AUTH_PREFIXES):
                await self.auth(scope, receive, exchange.send)
            elif path.startswith(CDN_PREFIXES):
                await self.cdn(scope, receive, exchange.send)
            elif path == OUTBOX_PATH and self.outbox is not None:
                await self.outbox(scope, receive, exchange.send)
            else:
                raise NotFound

    async def _authenticate(self, scope: Scope, exchange: Exchange) -> None:
        try:
            principal = await self.verifier.verify(_bearer(scope))
        except InvalidToken:
            _admit(exchange, await self.limits.spend_failure(client_address(scope)))
            raise
        scope["redcore.principal"] = principal
        _admit(exchange, await self.limits.spend_credential(principal))

    async def _probe(self, operation_id: str) -> Response:
        if operation_id == "health_ready":
            return await readiness(self.stores)
        if operation_id == "health_metrics":
            return self.metrics.exposition()
        return JSONResponse({"status": "ok"})

    def _record(self, scope: Scope, exchange: Exchange) -> None:
        duration_s = exchange.duration_s
        self.metrics.count(self._operation(scope), exchange.status, duration_s)
        log_request(scope, request_id=exchange.request_id, status=exchange.status, duration_s=duration_s)

    def _operation(self, scope: Scope) -> str:
        if "redcore.operation" in scope:  # the API has found it
            return str(scope["redcore.operation"])
        try:
            return self.spec.find(scope["method"], scope["raw_path"]).operation.id
        except ApiError:
            return "unknown"


def _admit(exchange: Exchange, verdict: Verdict) -> None:
    exchange.heed(verdict)
    if not verdict.is_allowed:
        raise RateLimited(verdict.retry_after_s)


def _bearer(scope: Scope) -> str:
    """Return the bearer token of a request.

    Raises:
        TokenMissing: there is no `Authorization`.
        InvalidToken: there is, but it holds no bearer token.
    """
    headers: Iterable[RawHeader] = scope["headers"]
    values = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
    if not values:
        raise TokenMissing
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise InvalidToken("Send one Authorization header: Bearer and the access token or API key.")
    return token
