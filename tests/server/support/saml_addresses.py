"""The endpoints that accept assertions: a valid document for each, how to present it, and how acceptance shows."""

from __future__ import annotations

import base64
import zlib
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import attrs
import httpx
from lxml import etree
from tests.server.support.callers import rows
from tests.server.support.identity_provider import IdentityProvider, base64url, identity_provider
from tests.server.support.saml_attacks import Scene
from tests.server.support.tenants import ISSUER, Client, Organisation

from redcore_server.auth.people.person import email_key
from redcore_server.clock import Clock
from redcore_server.ids import new_id
from redcore_server.store import Stores

ACS = f"{ISSUER}/saml/acs"
TOKEN = f"{ISSUER}/oauth/token"
ENTITY_ID = f"{ISSUER}/saml/metadata.xml"
SAML_BEARER = "urn:ietf:params:oauth:grant-type:saml2-bearer"

Kind = Literal["assertion", "response", "browser"]
KINDS: tuple[Kind, ...] = ("assertion", "response", "browser")
"""A bare assertion or a whole response at the token endpoint, or a response that a browser brings."""


async def trust(stores: Stores, clock: Clock, organisation: Organisation, *, key: str = "first") -> IdentityProvider:
    """Register a separate identity provider for an organisation."""
    provider = identity_provider(f"https://idp.example.com/{organisation.id}", key)
    async with stores.postgres.connection() as connection:
        await connection.execute(
            "insert into identity_providers values (%s, %s, %s, %s, %s)",
            (provider.entity_id, organisation.id, provider.sso_url, [provider.certificate], clock.now()),
        )
    return provider


async def add_user(stores: Stores, organisation: Organisation, email: str, status: str) -> str:
    """Insert a user and return their id."""
    user_id = new_id("usr")
    async with stores.postgres.connection() as connection:
        await connection.execute(
            """insert into users (id, organisation_id, email, email_key, name, role, status, created_at, updated_at)
               select %s, id, %s, %s, 'Eve', 'viewer', %s, created_at, created_at from organisations where id = %s""",
            (user_id, email, email_key(email), status, organisation.id),
        )
    return user_id


@attrs.frozen(kw_only=True)
class Address:
    """One endpoint, for an organisation with an identity provider."""

    kind: Kind
    http: httpx.AsyncClient
    organisation: Organisation
    provider: IdentityProvider
    client: Client
    clock: Clock

    async def scene(self) -> Scene:
        """Return a valid document for this endpoint; for a browser, the answer to a request made just now."""
        return self.scene_of(await self.ask() if self.kind == "browser" else None)

    def scene_of(self, request_id: str | None) -> Scene:
        """Return a valid document that answers a request."""
        return Scene(
            provider=self.provider,
            audience=ENTITY_ID,
            recipient=ACS if self.kind == "browser" else TOKEN,
            now=self.clock.now(),
            in_response_to=request_id,
            is_response=self.kind != "assertion",
        )

    async def ask(self, **query: str) -> str:
        """Start to sign in, as a browser does; return the id of the request to the identity provider."""
        response = await self.http.get("/saml/login", params={"organisation": self.organisation.id, **query})
        assert response.status_code == 302, response.text
        return request_of(response).get("ID", "")

    async def bring(self, document: bytes, **form: Any) -> httpx.Response:
        """Present a document."""
        if self.kind == "browser":
            values = {"SAMLResponse": base64.b64encode(document).decode(), **form}
            return await self.http.post("/saml/acs", data=values, headers={"Origin": "https://idp.example.com"})
        values = {"grant_type": SAML_BEARER, "assertion": base64url(document), **form}
        return await self.http.post("/oauth/token", data=values, auth=self.client.basic)

    def is_welcome(self, response: httpx.Response) -> bool:
        """Return whether a document was accepted; a refusal must look like every other."""
        if self.kind == "browser":
            signed_in = "redcore_session" in response.cookies
            assert response.status_code == (200 if signed_in else 400)
            assert signed_in or "You could not be signed in" in response.text
            return signed_in
        if response.status_code == 200:
            return True
        assert response.status_code == 400
        assert response.json() == {"error": "invalid_grant", "error_description": "The assertion is not valid."}
        return False


async def address_of(kind: Kind, *, http: httpx.AsyncClient, stores: Stores, clock: Clock, client: Client) -> Address:
    """Return an endpoint for the organisation of a client, which gets an identity provider for it."""
    (row,) = await rows(stores, "select organisation_id, owner_id from applications where id = %s", client.id)
    organisation = Organisation(row["organisation_id"], row["owner_id"])
    provider = await trust(stores, clock, organisation)
    # Cookies marked Secure: browsers keep them on loopback hosts, httpx does not.
    http.base_url = httpx.URL(ISSUER.replace("http:", "https:"))
    return Address(kind=kind, http=http, organisation=organisation, provider=provider, client=client, clock=clock)


def request_of(response: httpx.Response) -> etree._Element:
    """Return the AuthnRequest in a redirect to an identity provider."""
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
