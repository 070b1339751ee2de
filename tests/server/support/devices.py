"""A device login as in RFC 8628, and the person's browser beside it."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
from tests.server.support.browsing import Browser
from tests.server.support.tenants import Client

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@attrs.frozen
class Login:
    """The codes that a device was given."""

    http: httpx.AsyncClient
    client: Client
    codes: dict[str, Any]

    @property
    def user_code(self) -> str:
        """The code that the person types."""
        return str(self.codes["user_code"])

    async def poll(self, client: Client | None = None) -> httpx.Response:
        """Ask for the tokens, as another client if one is given."""
        form = {"grant_type": GRANT, "device_code": self.codes["device_code"]}
        return await send(self.http, client or self.client, "/oauth/token", form)

    async def outcome(self) -> str:
        """Poll and return the error, or `tokens`."""
        answer = await self.poll()
        return "tokens" if answer.status_code == 200 else str(answer.json()["error"])

    async def decide(self, browser: Browser, decision: str, **fields: str) -> httpx.Response:
        """Enter the code in a browser with a session, and decide."""
        page = await browser.get("/oauth/device", user_code=self.user_code)
        return await browser.fill(page, "device-consent", decision=decision, **fields)


async def send(http: httpx.AsyncClient, client: Client, path: str, form: dict[str, str]) -> httpx.Response:
    """Send a form as a client, which has no secret if it is public."""
    if client.secret:
        return await http.post(path, data=form, auth=client.basic)
    return await http.post(path, data={"client_id": client.id, **form})


async def start(http: httpx.AsyncClient, client: Client, **form: str) -> Login:
    """Request the codes; a blank scope is left out, but makes a form."""
    answer = await send(http, client, "/oauth/device_authorization", {"scope": "", **form})
    assert answer.status_code == 200, answer.text
    return Login(http, client, answer.json())
