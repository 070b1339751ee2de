"""The auth service as an ASGI app, and the parts of it that gateway and API use.

HTTP only: it reads forms, calls the authorization server in a thread, and writes answers. Rate limits,
request ids and the access log are the gateway's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import anyio
import anyio.to_thread
import attrs
import orjson
from authlib.oauth2 import OAuth2Error
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from redcore_server.auth.access_token import AccessTokens
from redcore_server.auth.clients import Applications
from redcore_server.auth.endpoints import IntrospectionEndpoint, RevocationEndpoint
from redcore_server.auth.forms import read_form
from redcore_server.auth.grant_store import GrantStore
from redcore_server.auth.grants import ClientCredentialsGrant, RefreshTokenGrant
from redcore_server.auth.issuer import TokenIssuer
from redcore_server.auth.keys import SigningKeys
from redcore_server.auth.lifetimes import JWKS_CACHE_S
from redcore_server.auth.metadata import server_metadata
from redcore_server.auth.principal import Verifier
from redcore_server.auth.revocation import Revocation
from redcore_server.auth.server import FormRequest, OAuthServer, Reply, refusal
from redcore_server.auth.verifier import BearerVerifier
from redcore_server.clock import Clock
from redcore_server.errors import MethodNotAllowed, NotFound, NotImplementedYet, respond
from redcore_server.store import Stores
from redcore_server.store.postgres import sync_pool
from redcore_server.store.redis import sync_redis

_THREADS: Final = 4
"""More would only fight for the interpreter: a token costs more CPU than it waits for the stores."""

_Handler = Callable[[Request], Awaitable[Response]]

NOT_BUILT: Final[Mapping[str, frozenset[str]]] = {
    "/oauth/authorize": frozenset({"GET", "POST"}),
    "/oauth/device_authorization": frozenset({"POST"}),
    "/oauth/device": frozenset({"GET", "POST"}),
    "/oauth/invitations/": frozenset({"GET", "POST"}),
    "/saml/metadata.xml": frozenset({"GET"}),
    "/saml/login": frozenset({"GET"}),
    "/saml/acs": frozenset({"POST"}),
}
"""Endpoints of the contract that answer 501; a slash at the end stands for every path below it."""


@attrs.frozen
class Auth:
    """The running auth service."""

    app: ASGIApp
    verifier: Verifier
    revocation: Revocation
    keys: SigningKeys


@asynccontextmanager
async def open_auth(
    *,
    stores: Stores,
    database_url: str,
    redis_url: str,
    issuer: str,
    audience: str,
    scopes: Iterable[str],
    clock: Clock,
) -> AsyncGenerator[Auth]:
    """Run the auth service; the first start on a database makes the first signing key.

    Args:
        stores: for the asyncio side: verifier and revocation.
        database_url: for the threads' own pool.
        redis_url: for the threads' own client.
        issuer: the OAuth origin, such as `https://api.blueround.com`.
        audience: the API's base URL, such as `https://api.blueround.com/v1`.
        scopes: all there are.
        clock: the server's.
    """
    pool = sync_pool(database_url, max_size=_THREADS + 1)  # one for the keyring
    redis = await run_in_threadpool(sync_redis, redis_url)
    try:
        pool.open()
        keys = SigningKeys(pool, clock)
        await keys.current()
        tokens = AccessTokens(issuer, audience)
        token_issuer = TokenIssuer(Applications(pool), GrantStore(redis), keys, tokens, clock)
        yield Auth(
            app=build(token_issuer, frozenset(scopes)),
            verifier=BearerVerifier(stores, keys, tokens, clock),
            revocation=Revocation(stores.redis),
            keys=keys,
        )
    finally:
        await run_in_threadpool(pool.close)
        redis.close()


def build(issuer: TokenIssuer, scopes: frozenset[str]) -> ASGIApp:
    """Return the ASGI app.

    Args:
        issuer: makes and reads tokens, on open stores.
        scopes: all there are.
    """
    server = OAuthServer(issuer, scopes)
    server.register_grant(ClientCredentialsGrant)
    server.register_grant(RefreshTokenGrant)
    server.register_endpoint(RevocationEndpoint)
    server.register_endpoint(IntrospectionEndpoint)
    return _App(_routes(server))


@attrs.frozen
class _Threads:
    """Answers forms in threads: Authlib is sync."""

    limiter: anyio.CapacityLimiter = attrs.field(factory=lambda: anyio.CapacityLimiter(_THREADS))

    def handler(self, answer: Callable[[FormRequest], Reply]) -> _Handler:
        """Return a handler that reads the form and lets Authlib answer it.

        Args:
            answer: one of the server's methods.
        """

        async def handle(request: Request) -> Response:
            authorization = request.headers.get("Authorization")
            try:
                form = await read_form(request)
            except OAuth2Error as error:
                return _response(refusal(error))
            form_request = FormRequest(request.url.path, authorization, form)
            return _response(await anyio.to_thread.run_sync(answer, form_request, limiter=self.limiter))

        return handle


def _routes(server: OAuthServer) -> dict[str, tuple[str, _Handler]]:
    metadata = orjson.dumps(server_metadata(server.issuer.tokens.issuer, server.scopes))
    keys, clock = server.issuer.keys, server.issuer.clock
    threads = _Threads()

    async def describe(_: Request) -> Response:
        return Response(metadata, media_type="application/json")

    async def jwks(_: Request) -> Response:
        ring = await keys.current()
        headers = {"Cache-Control": f"public, max-age={JWKS_CACHE_S}"}
        return Response(orjson.dumps(ring.jwks(clock.now())), headers=headers, media_type="application/json")

    def endpoint(name: str) -> _Handler:
        return threads.handler(partial(server.answer_at, name))

    return {
        "/oauth/token": ("POST", threads.handler(server.create_token_response)),
        "/oauth/revoke": ("POST", endpoint(RevocationEndpoint.ENDPOINT_NAME)),
        "/oauth/introspect": ("POST", endpoint(IntrospectionEndpoint.ENDPOINT_NAME)),
        "/.well-known/oauth-authorization-server": ("GET", describe),
        "/.well-known/jwks.json": ("GET", jwks),
    }


def _response(reply: Reply) -> Response:
    body = orjson.dumps(reply.body) if reply.body else b""
    response = Response(body, reply.status)
    response.headers.update(dict(reply.headers))
    return response


@attrs.frozen
class _App:
    """Dispatches by path: the few addresses of this service need no router."""

    routes: Mapping[str, tuple[str, _Handler]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._handler(request)(request)
        except Exception as error:  # noqa: BLE001 - the edge: every error becomes an answer
            response = respond(error, scope.get("redcore.request_id", ""))
        await response(scope, receive, send)

    def _handler(self, request: Request) -> _Handler:
        path, method = request.url.path, request.method
        if path not in self.routes:
            raise _not_built(path, method)
        allowed, handler = self.routes[path]
        if method != allowed:
            raise MethodNotAllowed([allowed])
        return handler


def _not_built(path: str, method: str) -> Exception:
    for pattern, methods in NOT_BUILT.items():
        if path == pattern or (pattern.endswith("/") and path.startswith(pattern)):
            return NotImplementedYet() if method in methods else MethodNotAllowed(methods)
    return NotFound()
