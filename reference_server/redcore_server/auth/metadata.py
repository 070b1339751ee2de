"""What the server tells about itself (RFC 8414): only what it really does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redcore_server.auth.client_authentication import METHODS


def server_metadata(issuer: str, scopes: Iterable[str]) -> dict[str, Any]:
    """Return the document of `/.well-known/oauth-authorization-server`.

    `response_types_supported` is left out while there is no authorization endpoint: section 2 requires it,
    and section 3.2 forbids an empty array.

    Args:
        issuer: the OAuth origin.
        scopes: all there are.
    """
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": METHODS,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials", "refresh_token"],
        "scopes_supported": sorted(scopes),
    }
