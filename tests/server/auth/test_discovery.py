"""Metadata, keys and tokens, checked by third-party clients: Authlib's and joserfc's."""

from __future__ import annotations

import httpx
import httpx2
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2 import rfc9207
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from tests.server.support.saml_addresses import SAML_BEARER
from tests.server.support.tenants import AUDIENCE, ISSUER, SCOPES, Client

from redcore_server.auth.app import Auth

DOCUMENT = "/.well-known/oauth-authorization-server"

pytestmark = pytest.mark.anyio


async def test_metadata_lists_the_endpoints_that_exist(http: httpx.AsyncClient) -> None:
    """RFC 8414: a client finds the endpoints, and none that would answer 501."""
    response = await http.get(DOCUMENT)

    methods = ["client_secret_basic", "client_secret_post"]
    with_public = [*methods, "none"]
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/oauth/authorize",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "device_authorization_endpoint": f"{ISSUER}/oauth/device_authorization",
        "token_endpoint": f"{ISSUER}/oauth/token",
        "token_endpoint_auth_methods_supported": with_public,
        "revocation_endpoint": f"{ISSUER}/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": with_public,
        "introspection_endpoint": f"{ISSUER}/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": methods,
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            SAML_BEARER,
        ],
        "scopes_supported": sorted(SCOPES),
    }


async def test_metadata_satisfies_authlib(http: httpx.AsyncClient) -> None:
    """Authlib's validator accepts every member."""
    document = (await http.get(DOCUMENT)).json()

    AuthorizationServerMetadata(document).validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])


async def test_authlib_client_completes_its_flows(auth: Auth, client: Client) -> None:
    """Token, refresh, introspection and revocation by Authlib's own client, from the metadata alone."""
    transport = httpx2.ASGITransport(auth.app)
    async with AsyncOAuth2Client(client.id, client.secret, transport=transport, base_url=ISSUER) as session:
        metadata = (await session.request("GET", DOCUMENT, withhold_token=True)).json()

        first = await session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        second = await session.refresh_token(metadata["token_endpoint"], first["refresh_token"])
        about = await session.introspect_token(metadata["introspection_endpoint"], second["access_token"])
        revoked = await session.revoke_token(metadata["revocation_endpoint"], second["refresh_token"])  # type: ignore[no-untyped-call]
        after = await session.introspect_token(metadata["introspection_endpoint"], second["access_token"])

    assert about.json()["active"] is True
    assert revoked.status_code == 200
    assert after.json() == {"active": False}


async def test_published_keys_verify_tokens(http: httpx.AsyncClient, client: Client) -> None:
    """A resource server that has only the key set can check signature and claims."""
    form = {"grant_type": "client_credentials"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()["access_token"]
    document = await http.get("/.well-known/jwks.json")

    decoded = jwt.decode(token, KeySet.import_key_set(document.json()), algorithms=["RS256"])

    registry = JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        client_id={"essential": True, "value": client.id},
    )
    registry.validate(decoded.claims)
    assert document.headers["Cache-Control"] == "public, max-age=300"
