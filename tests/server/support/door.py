"""A page that asks for a sign-in, and the person who can give it."""

from __future__ import annotations

import argon2
import attrs
import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from tests.server.support.browsing import Browser
from tests.server.support.tenants import ISSUER, Organisation

from redcore_server.auth.pages.browser_request import BrowserRequest, Browsers
from redcore_server.auth.pages.sign_in import Purpose, SignInPages
from redcore_server.auth.people.login_throttle import (
    Attempts,
)
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.sessions import Sessions
from redcore_server.auth.people.sign_in import SignIn
from redcore_server.clock import Clock
from redcore_server.store import Stores

PASSWORD = "correct horse battery"
EMAIL = "ada@example.com"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
QUICK = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def give_password(stores: Stores, organisation: Organisation, *, totp: str | None = None) -> None:
    values = {"id": organisation.owner_id, "hash": await QUICK.hash(PASSWORD), "totp": totp}
    async with stores.postgres.connection() as connection:
        await connection.execute(
            "update users set password_hash = %(hash)s, totp_secret = %(totp)s where id = %(id)s", values
        )


@attrs.frozen
class Door:
    """A page that requires a session in one organisation, as other modules build theirs."""

    stores: Stores
    clock: Clock
    organisation: Organisation
    origin: str = ISSUER
    address: str = "192.0.2.1"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        attempts = Attempts(self.stores.redis, self.clock)
        sign_in = SignIn(postgres=self.stores.postgres, clock=self.clock, passwords=QUICK, attempts=attempts)
        pages = SignInPages(sign_in)
        purpose = Purpose(organisation_id=self.organisation.id, application="Storefront <3")

        async def answer(browser: BrowserRequest) -> Response:
            who = await pages.require(browser, purpose)
            return who if isinstance(who, Response) else PlainTextResponse(f"hello {who.name}")

        browsers = Browsers(origin=self.origin, sessions=Sessions(self.stores, self.clock))
        scope["client"] = (self.address, 1)
        response = await browsers.handler(answer)(Request(scope, receive))
        await response(scope, receive, send)


async def sign_in(browser: Browser, password: str = PASSWORD, email: str = EMAIL) -> httpx.Response:
    """Open the page and send a password."""
    return await browser.fill(await browser.get("/door?x=1"), "password", email=email, password=password)
