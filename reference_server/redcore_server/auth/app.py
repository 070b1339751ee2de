"""The auth service as an ASGI app, and its components for gateway and API.

It opens the components, merges the routes of the modules and dispatches. The gateway handles rate limits, request ids
and the access log.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import attrs
import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from redcore_server.auth.credentials.applications import Applications
from redcore_server.auth.credentials.principal import Verifier
from redcore_server.auth.lifetimes import JWKS_CACHE_S
from redcore_server.auth.metadata import server_metadata
from redcore_server.auth.oauth.handler import answering
from redcore_server.auth.oauth.revoke_introspect import IntrospectionEndpoint, RevocationEndpoint
from redcore_server.auth.oauth.server import OAuthServer
from redcore_server.auth.oauth.token_grants import ClientCredentialsGrant, RefreshTokenGrant
from redcore_server.auth.pages import authorize, device, invitation
from redcore_server.auth.pages.browser_request import Browsers
from redcore_server.auth.pages.context import ServiceContext
from redcore_server.auth.pages.sign_in import SignInPages
from redcore_server.auth.people.login_throttle import Attempts
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.sessions import Sessions
from redcore_server.auth.people.sign_in import SignIn
from redcore_server.auth.refusals import refuse
from redcore_server.auth.revocation import Revocation
from redcore_server.auth.routes import Handler, Routes, path_of
from redcore_server.auth.saml.routes import routes as saml_routes
from redcore_server.auth.tokens.access_token import AccessTokens
from redcore_server.auth.tokens.grant_store import GrantStore
from redcore_server.auth.tokens.issuer import TokenIssuer
from redcore_server.auth.tokens.reader import TokenReader
from redcore_server.auth.tokens.signing_keys import SigningKeys
from redcore_server.auth.tokens.verifier import BearerVerifier
from redcore_server.clock import Clock
from redcore_server.contract.methods import chosen
from redcore_server.errors import NotFound
from redcore_server.http.context import REQUEST_ID
from redcore_server.http.deadline import DEADLINE_S
from redcore_server.store import Stores
from redcore_server.store.postgres import Pool, sync_pool


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
    issuer: str,
    audience: str,
    scopes: Mapping[str, str],
    clock: Clock,
    signing_key_period: timedelta,
) -> AsyncGenerator[Auth]:
    """Run the auth service; the first start on a database creates the first signing key.

    Args:
        stores: Opened stores, for everything but the threads.
        database_url: Database URL for the threads' own pool.
        issuer: The OAuth origin, such as `https://api.blueround.com`.
        audience: The API's base URL, such as `https://api.blueround.com/v1`.
        scopes: All scopes with their human-readable meanings.
        signing_key_period: How long a key signs before it is rotated.
    """
    supported = frozenset(scopes)
    pool = sync_pool(database_url, statement_s=DEADLINE_S)
    try:
        pool.open()
        keys = SigningKeys(pool, clock, signing_key_period)
        await keys.current()
        tokens = AccessTokens(issuer, audience)
        reader = TokenReader(tokens, keys, clock)
        applications, grants = Applications(stores.postgres, supported), GrantStore(stores)
        server = OAuthServer(
            applications=applications,
            grants=grants,
            tokens=tokens,
            reader=reader,
            issuer=TokenIssuer(applications, grants, keys, tokens, clock),
            clock=clock,
            scopes=supported,
        )
        yield Auth(
            app=_App(_routes(_context(stores, pool, server, issuer, scopes), keys)),
            verifier=BearerVerifier(stores, reader, clock, supported),
            revocation=Revocation(stores),
            keys=keys,
        )
    finally:
        await run_in_threadpool(pool.close)


def _context(stores: Stores, pool: Pool, server: OAuthServer, issuer: str, scopes: Mapping[str, str]) -> ServiceContext:
    clock = server.clock
    sessions = Sessions(stores, clock)
    attempts, passwords = Attempts(stores.redis, clock), Passwords()
    sign_in = SignIn(postgres=stores.postgres, clock=clock, passwords=passwords, attempts=attempts)
    return ServiceContext(
        stores=stores,
        pool=pool,
        clock=clock,
        issuer=issuer,
        applications=server.applications,
        server=server,
        sessions=sessions,
        passwords=passwords,
        browsers=Browsers(origin=issuer, sessions=sessions),
        sign_in=SignInPages(sign_in),
        scopes=scopes,
    )


def _routes(context: ServiceContext, keys: SigningKeys) -> Routes:
    """Return the routes of all modules."""
    return {
        **_token_routes(context, keys),
        **authorize.routes(context),
        **device.routes(context),
        **invitation.routes(context),
        **saml_routes(context),
    }


def _token_routes(context: ServiceContext, keys: SigningKeys) -> Routes:
    server = context.server
    server.register_grant(ClientCredentialsGrant)
    server.register_grant(RefreshTokenGrant)
    server.register_endpoint(RevocationEndpoint)
    server.register_endpoint(IntrospectionEndpoint)
    metadata = orjson.dumps(server_metadata(context.issuer, server.scopes))

    async def describe(_: Request) -> Response:
        return Response(metadata, media_type="application/json")

    async def jwks(_: Request) -> Response:
        ring = await keys.current()
        headers = {"Cache-Control": f"public, max-age={JWKS_CACHE_S}"}
        return Response(orjson.dumps(ring.jwks(context.clock.now())), headers=headers, media_type="application/json")

    def endpoint(name: str) -> Handler:
        return answering(partial(server.answer_at, name))

    return {
        "/oauth/token": {"POST": answering(server.create_token_response)},
        "/oauth/revoke": {"POST": endpoint(RevocationEndpoint.ENDPOINT_NAME)},
        "/oauth/introspect": {"POST": endpoint(IntrospectionEndpoint.ENDPOINT_NAME)},
        "/.well-known/oauth-authorization-server": {"GET": describe},
        "/.well-known/jwks.json": {"GET": jwks},
    }


@attrs.frozen
class _App:
    """Dispatches by path: the few routes of this service need no router."""

    routes: Routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request_id = REQUEST_ID.find(scope) or ""
        # All log lines of the request, also in threads and greenlets, carry the id that people are asked to quote.
        with bound_contextvars(request_id=request_id):
            try:
                response = await self._handler(request)(request)
            except Exception as error:  # noqa: BLE001 - the edge: every error becomes a response
                response = refuse(scope, error, request_id)
        await response(scope, receive, send)

    def _handler(self, request: Request) -> Handler:
        path = path_of(request)
        folder = path[: path.rindex("/") + 1]
        methods = self.routes.get(path) or self.routes.get(folder)
        if methods is None or path == folder:
            raise NotFound
        return chosen(methods, request.method)
