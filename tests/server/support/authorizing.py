"""The authorization code flow as an application sees it, and a browser with a session."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qsl, urlsplit

import attrs
import httpx
from tests.server.support.browsing import Browser
from tests.server.support.tenants import Client, Organisation

from redcore_server.auth.credentials.applications import create_application, new_client_secret
from redcore_server.auth.people.person import find_person
from redcore_server.auth.people.sessions import Sessions
from redcore_server.clock import Clock
from redcore_server.store import Stores

CALLBACK = "https://app.example.com/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def register(
    stores: Stores,
    clock: Clock,
    organisation: Organisation,
    *redirect_uris: str,
    scopes: tuple[str, ...] = ("users:read", "users:write"),
    is_public: bool = False,
) -> Client:
    """Register an application that people can sign in to."""
    secret = None if is_public else new_client_secret()
    async with stores.postgres.connection() as connection:
        row = await create_application(
            connection,
            organisation_id=organisation.id,
            owner_id=organisation.owner_id,
            name="Storefront <3",
            scopes=scopes,
            redirect_uris=redirect_uris or (CALLBACK,),
            secret=secret,
            now=clock.now(),
        )
    return Client(row["id"], secret or "")


async def signed_in(http: httpx.AsyncClient, stores: Stores, clock: Clock, user_id: str) -> Browser:
    """Return a browser with a session."""
    person = await find_person(stores.postgres, user_id)
    assert person is not None
    sessions = Sessions(stores, clock)
    session = await sessions.start(await sessions.load(None), person)
    return Browser(http, {"redcore_session": session.id})


def parameters(answer: httpx.Response) -> dict[str, str]:
    """Return the query parameters of a redirect to the application."""
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


@attrs.frozen
class Flow:
    """One application's flow in one browser."""

    browser: Browser
    client: Client

    def request(self, **changes: str) -> dict[str, str]:
        """Return the parameters of an authorization request; those changed to blank are left out."""
        request = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": CALLBACK,
            "state": "s~ /+ü",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in request.items() if value}

    async def ask(self, **changes: str) -> httpx.Response:
        """Open the authorization endpoint."""
        return await self.browser.get("/oauth/authorize", **self.request(**changes))

    async def allow(self, **changes: str) -> httpx.Response:
        """Consent, and return the redirect back."""
        return await self.browser.fill(await self.ask(**changes), "consent", decision="allow")

    async def code(self, **changes: str) -> str:
        """Return a code."""
        return parameters(await self.allow(**changes))["code"]

    async def redeem(self, code: str, /, **changes: str) -> httpx.Response:
        """Send a code to the token endpoint; parameters changed to blank are left out."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        if not self.client.secret:
            form = {"client_id": self.client.id, **form}
        auth = self.client.basic if self.client.secret else httpx.Auth()
        data = {name: value for name, value in form.items() if value}
        return await self.browser.http.post("/oauth/token", data=data, auth=auth)

    async def active(self, token: str, asker: Client) -> bool:
        """Return what introspection says of a token."""
        answer = await self.browser.http.post("/oauth/introspect", data={"token": token}, auth=asker.basic)
        return bool(answer.json()["active"])
