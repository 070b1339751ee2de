"""What every module of the auth service is given to build its routes from."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from redcore_server.auth.oauth.server import OAuthServer
from redcore_server.auth.pages.browser_request import Browsers
from redcore_server.auth.pages.sign_in import SignInPages
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.sessions import Sessions
from redcore_server.clock import Clock
from redcore_server.store import Stores
from redcore_server.store.postgres import Pool


@attrs.frozen(kw_only=True)
class Parts:
    """The parts that a running auth service has once.

    Attributes:
        stores: Open ones, for asyncio and fibers.
        pool: PostgreSQL for threads.
        clock: Source of the current time.
        server: Authlib's, sync, for fibers; its issuer makes and reads tokens.
        sessions: Of browsers.
        passwords: Hashes those that people choose.
        browsers: Makes handlers for pages: session, form guard, errors as pages.
        sign_in: Asks a person to sign in, at any page.
        scopes: Every scope and what it means to a person.
    """

    stores: Stores
    pool: Pool
    clock: Clock
    server: OAuthServer
    sessions: Sessions
    passwords: Passwords
    browsers: Browsers
    sign_in: SignInPages
    scopes: Mapping[str, str]

    @property
    def issuer(self) -> str:
        """The OAuth origin, such as `https://api.blueround.com`."""
        return self.server.issuer.tokens.issuer
