"""The endpoints of the OAuth service for programs (contract section 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from redcore.testing._fake import access
from redcore.testing._fake.call import Answer, Asked
from redcore.testing._fake.contract import contract
from redcore.testing._fake.problem import OAuthProblem
from redcore.testing._fake.state import Row, State

KEY: Row = {"kty": "RSA", "kid": "fake", "use": "sig", "alg": "RS256", "n": "0vx7agoebGcQSuuPiLJX", "e": "AQAB"}
"""The example of the spec: the fake's tokens are not signed."""


def token(state: State, asked: Asked) -> Answer:
    """`POST /oauth/token`."""
    return answered(access.token(state, asked.headers, asked.content))


def revoke(state: State, asked: Asked) -> Answer:
    """`POST /oauth/revoke`."""
    access.revoke(state, asked.headers, asked.content)
    return Answer(200, {"Cache-Control": "no-store"})


def introspect(state: State, asked: Asked) -> Answer:
    """`POST /oauth/introspect`."""
    return answered(access.introspect(state, asked.headers, asked.content))


def metadata(_: State, asked: Asked) -> Answer:
    """`GET /.well-known/oauth-authorization-server` (RFC 8414), with the endpoints that the fake has."""
    return answered(
        {
            "issuer": asked.origin,
            "token_endpoint": f"{asked.origin}/oauth/token",
            "revocation_endpoint": f"{asked.origin}/oauth/revoke",
            "introspection_endpoint": f"{asked.origin}/oauth/introspect",
            "jwks_uri": f"{asked.origin}/.well-known/jwks.json",
            "response_types_supported": ["code"],
            "grant_types_supported": ["client_credentials", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": contract().scopes,
        }
    )


def jwks(_: State, __: Asked) -> Answer:
    """`GET /.well-known/jwks.json`."""
    return answered({"keys": [KEY]})


def answered(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in the JSON of the RFCs."""
    standing = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Answer(status, {**standing, **(headers or {})}, msgspec.json.encode(value))


def refusal(problem: OAuthProblem) -> Answer:
    """A refusal (RFC 6749 section 5.2)."""
    challenge = {"WWW-Authenticate": 'Basic realm="BlueRound"'} if problem.status == 401 else None
    return answered({"error": problem.error, "error_description": problem.description}, problem.status, challenge)


ENDPOINTS: Mapping[tuple[str, str], Callable[[State, Asked], Answer]] = {
    ("POST", "/oauth/token"): token,
    ("POST", "/oauth/revoke"): revoke,
    ("POST", "/oauth/introspect"): introspect,
    ("GET", "/.well-known/oauth-authorization-server"): metadata,
    ("GET", "/.well-known/jwks.json"): jwks,
}
"""By method and path."""
