"""Authorization server metadata (RFC 8414): only what is implemented."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE

from redcore_server.auth.oauth.client_authentication import METHODS, METHODS_WITH_PUBLIC
from redcore_server.auth.oauth.device_grant import ENDPOINT
from redcore_server.auth.saml.grant import GRANT_TYPE as SAML_BEARER


def server_metadata(issuer: str, scopes: Iterable[str]) -> dict[str, Any]:
    """Return the document of `/.well-known/oauth-authorization-server`.

    Args:
        issuer: The OAuth origin.
        scopes: All supported scopes.
    """
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "device_authorization_endpoint": f"{issuer}{ENDPOINT}",
        "token_endpoint": f"{issuer}/oauth/token",
        "token_endpoint_auth_methods_supported": METHODS_WITH_PUBLIC,
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": METHODS_WITH_PUBLIC,
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": METHODS,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "refresh_token",
            DEVICE_CODE_GRANT_TYPE,
            SAML_BEARER,
        ],
        "scopes_supported": sorted(scopes),
    }
