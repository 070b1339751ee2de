"""The gateway as an ASGI app: every request passes through it, and every response gets its headers here.

In order: request id, access log and metrics around everything; CORS; probes; for `/v1/` the bearer token, the rate
limit of its credential and the API; for all other paths the rate limit of the client's address and the auth service,
the CDN or, on this machine only, the outbox. It does not read bodies, but bounds the time a client may take to send
one. Serve it with uvicorn's own `Date` and `Server` headers off: the date comes from the server's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import attrs
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from redcore_server.auth.credentials.principal import PRINCIPAL, VERIFY_AGAIN, Principal, Verifier
from redcore_server.auth.refusals import refuse
from redcore_server.cdn import PREFIXES as CDN_PREFIXES
from redcore_server.clock import Clock
from redcore_server.contract.spec import Spec
from redcore_server.errors import ApiError, InvalidToken, NotFound, RateLimited
from redcore_server.gateway.admission import Admission
from redcore_server.gateway.cors import shared_with
from redcore_server.gateway.limits import Limits, Verdict
from redcore_server.gateway.metrics import Metrics
from redcore_server.gateway.readiness import Readiness
from redcore_server.gateway.slow_clients import BoundedReceive
from redcore_server.gateway.start_page import PATH as START_PATH
from redcore_server.gateway.start_page import StartPage
from redcore_server.http import edge
from redcore_server.http.access_log import log_request
from redcore_server.http.addresses import counted_address
from redcore_server.http.bearer import bearer_token
from redcore_server.http.context import OPERATION, REFUSAL, REQUEST_ID
from redcore_server.http.exchange import EXCHANGE, Exchange, RawHeader
from redcore_server.mail.outbox import PATH as OUTBOX_PATH
from redcore_server.mail.outbox import OutboxPage
from redcore_server.settings import Settings

_AUTH_PREFIXES: Final = ("/oauth/", "/saml/", "/.well-known/")
_ME_PATH: Final = "/v1/me"


def build(
    *,
    spec: Spec,
    settings: Settings,
    clock: Clock,
    limits: Limits,
    readiness: Readiness,
    verifier: Verifier,
    auth: ASGIApp,
    api: ASGIApp,
    cdn: ASGIApp,
) -> ASGIApp:
    """Return the app.

    Args:
        spec: The parsed contract.
        limits: Rate limits of all callers.
        readiness: Answers `/readyz`.
        verifier: Verifies bearer tokens.
        auth: The auth service.
        api: The API.
        cdn: Static files and documentation.
    """
    return _Gateway(
        spec=spec,
        settings=settings,
        clock=clock,
        auth=auth,
        api=api,
        cdn=cdn,
        verifier=verifier,
        admission=Admission(verifier, limits, clock),
        limits=limits,
        metrics=Metrics(),
        readiness=readiness,
        outbox=OutboxPage(settings.outbox) if settings.shows_outbox else None,
        start_page=StartPage(settings) if settings.is_local else None,
    )


def _shared(gateway: _Gateway) -> ASGIApp:
    return shared_with(gateway.settings.cors_origins, gateway.answer)


@attrs.frozen(kw_only=True)
class _Gateway:
    spec: Spec
    settings: Settings
    clock: Clock
    auth: ASGIApp
    api: ASGIApp
    cdn: ASGIApp
    verifier: Verifier
    admission: Admission
    limits: Limits
    metrics: Metrics
    readiness: Readiness
    outbox: ASGIApp | None
    start_page: ASGIApp | None
    shared: ASGIApp = attrs.field(init=False, default=attrs.Factory(_shared, takes_self=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no websockets; the caller that builds the gateway opens and closes its components
            return
        exchange = Exchange(scope, send, self.clock, is_strict=self.settings.is_public_tls)
        REQUEST_ID.set(scope, exchange.request_id)
        EXCHANGE.set(scope, exchange)
        app = self.answer if REFUSAL.find(scope) else self.shared
        try:
            await app(scope, BoundedReceive(receive, self.settings.client_seconds), exchange.send)
        finally:
            self._record(scope, exchange)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, within the deadline; errors become responses."""
        await edge.answer(self._serve, scope, receive, send, refuse)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = EXCHANGE.of(scope)
        path: str = scope["path"]
        if path.startswith("/v1/"):
            await self._authenticate(scope, exchange)
            await self.api(scope, receive, send)
        elif path in {"/healthz", "/readyz", "/metrics"}:
            operation_id = self.spec.find(scope["method"], scope["raw_path"]).operation.id
            if self._is_costly(operation_id, scope["query_string"]):
                _admit(exchange, await self.limits.spend_address(counted_address(scope)))
            response = await self._probe(operation_id, scope["query_string"])
            await response(scope, receive, send)
        else:
            _admit(exchange, await self.limits.spend_address(counted_address(scope)))
            if path.startswith(_AUTH_PREFIXES):
                await self.auth(scope, receive, send)
            elif path.startswith(CDN_PREFIXES):
                await self.cdn(scope, receive, send)
            elif path == OUTBOX_PATH and self.outbox is not None:
                await self.outbox(scope, receive, send)
            elif path == START_PATH and self.start_page is not None:
                await self.start_page(scope, receive, send)
            else:
                raise NotFound

    async def _authenticate(self, scope: Scope, exchange: Exchange) -> None:
        try:
            bearer = bearer_token(scope)
            principal, verdict = await self.admission.check(bearer)
        except InvalidToken:
            _admit(exchange, await self.limits.spend_failure(counted_address(scope)))
            raise
        PRINCIPAL.set(scope, principal)
        VERIFY_AGAIN.set(scope, partial(self.verifier.verify, bearer, at=self.clock.now()))
        _admit(exchange, verdict, *(_described(principal) if scope["path"] == _ME_PATH else ()))

    def _is_costly(self, operation_id: str, query: bytes) -> bool:
        """Return whether a probe is for people and alarms; those of load balancers are cheap, and have no limit."""
        asks_of_stores = operation_id == "health_ready" and self.readiness.asks_of_stores(query)
        return asks_of_stores or operation_id == "health_metrics"

    async def _probe(self, operation_id: str, query: bytes) -> Response:
        if operation_id == "health_ready":
            return await self.readiness.answer(query)
        if operation_id == "health_metrics":
            return self.metrics.exposition()
        return JSONResponse({"status": "ok"})

    def _record(self, scope: Scope, exchange: Exchange) -> None:
        duration_s = exchange.duration_s
        self.metrics.count(self._operation(scope), exchange.status, duration_s)
        principal = PRINCIPAL.find(scope)
        log_request(scope, exchange, credential_id=principal.credential_id if principal else None)

    def _operation(self, scope: Scope) -> str:
        if operation := OPERATION.find(scope):  # set by the API
            return operation
        try:
            return self.spec.find(scope["method"], scope["raw_path"]).operation.id
        except ApiError:
            return "unknown"


def _described(principal: Principal) -> Iterator[RawHeader]:
    """Yield the headers that describe the credential to its holder, also in a 403: it may lack `profile:read`."""
    yield b"x-oauth-scopes", " ".join(sorted(principal.scopes)).encode()
    if principal.expires_at is not None:
        yield b"x-credential-expires", str(int(principal.expires_at)).encode()


def _admit(exchange: Exchange, verdict: Verdict, *more: RawHeader) -> None:
    exchange.add(
        *more,
        (b"x-ratelimit-limit", str(verdict.limit).encode()),
        (b"x-ratelimit-remaining", str(verdict.remaining).encode()),
        (b"x-ratelimit-reset", str(verdict.reset).encode()),
    )
    if not verdict.is_allowed:
        raise RateLimited(verdict.retry_after_s)
