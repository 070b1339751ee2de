"""The shared dependencies from which every module of the auth service builds its routes."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from redcore_server.auth.credentials.applications import Applications
from redcore_server.auth.oauth.server import OAuthServer
from redcore_server.auth.pages.browser_request import Browsers
from redcore_server.auth.pages.sign_in import SignInPages
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.sessions import Sessions
from redcore_server.clock import Clock
from redcore_server.store import Stores
from redcore_server.store.postgres import Pool


@attrs.frozen(kw_only=True)
class ServiceContext:
    """The components of a running auth service.

    Attributes:
        stores: Opened stores, for asyncio and greenlets.
        pool: PostgreSQL pool for threads.
        issuer: The OAuth origin, such as `https://api.blueround.com`.
        applications: The clients.
        server: Authlib's server, sync, for greenlets.
        sessions: Store of browser sessions.
        passwords: Hashes and checks passwords.
        browsers: Creates page handlers: session, CSRF check, errors as pages.
        sign_in: Asks a person to sign in, on any page.
        scopes: All scopes with their human-readable meanings.
    """

    stores: Stores
    pool: Pool
    clock: Clock
    issuer: str
    applications: Applications
    server: OAuthServer
    sessions: Sessions
    passwords: Passwords
    browsers: Browsers
    sign_in: SignInPages
    scopes: Mapping[str, str]
