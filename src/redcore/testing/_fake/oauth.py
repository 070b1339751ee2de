"""The endpoints of the OAuth service for programs (contract section 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from redcore.testing._fake import grants, tokens
from redcore.testing._fake.call import Answer, Asked
from redcore.testing._fake.contract import contract
from redcore.testing._fake.problem import OAuthProblem, Problem
from redcore.testing._fake.state import Row, State

FORM = "application/x-www-form-urlencoded"
KEY: Row = {"kty": "RSA", "kid": "fake", "use": "sig", "alg": "RS256", "n": "0vx7agoebGcQSuuPiLJX", "e": "AQAB"}
"""The example of the spec: the fake's tokens are not signed."""


def answer(state: State, asked: Asked) -> Answer:
    """Answer a request outside `/v1/`.

    Raises:
        OAuthProblem: 405, or what the endpoint refuses.
        Problem: RESOURCE_NOT_FOUND.
    """
    handlers = {method: handle for (method, path), handle in ENDPOINTS.items() if path == asked.path}
    if not handlers:
        raise Problem("RESOURCE_NOT_FOUND", "There is nothing at this address.")
    if asked.method not in handlers:
        allowed = ", ".join(handlers)
        raise OAuthProblem(
            "invalid_request", f"This address answers {allowed} only.", status=405, headers={"Allow": allowed}
        )
    return handlers[asked.method](state, asked)


def token(state: State, asked: Asked) -> Answer:
    """`POST /oauth/token`."""
    return answered(grants.token(state, asked.headers, form_of(asked)))


def device_authorization(state: State, asked: Asked) -> Answer:
    """`POST /oauth/device_authorization`."""
    return answered(grants.start_device(state, asked.headers, form_of(asked), asked.origin))


def revoke(state: State, asked: Asked) -> Answer:
    """`POST /oauth/revoke`."""
    tokens.revoke(state, asked.headers, form_of(asked))
    return Answer(200, {"Cache-Control": "no-store"})


def introspect(state: State, asked: Asked) -> Answer:
    """`POST /oauth/introspect`."""
    return answered(tokens.introspect(state, asked.headers, form_of(asked), asked.origin))


def metadata(_: State, asked: Asked) -> Answer:
    """`GET /.well-known/oauth-authorization-server` (RFC 8414), with the addresses that the server has."""
    methods = ["client_secret_basic", "client_secret_post"]
    return answered(
        {
            "issuer": asked.origin,
            "authorization_endpoint": f"{asked.origin}/oauth/authorize",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "device_authorization_endpoint": f"{asked.origin}/oauth/device_authorization",
            "token_endpoint": f"{asked.origin}/oauth/token",
            "token_endpoint_auth_methods_supported": [*methods, "none"],
            "revocation_endpoint": f"{asked.origin}/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": [*methods, "none"],
            "introspection_endpoint": f"{asked.origin}/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": methods,
            "jwks_uri": f"{asked.origin}/.well-known/jwks.json",
            "grant_types_supported": list(grants.GRANTS),
            "scopes_supported": contract().scopes,
        }
    )


def jwks(_: State, __: Asked) -> Answer:
    """`GET /.well-known/jwks.json`."""
    return answered({"keys": [KEY]}, headers={"Cache-Control": "public, max-age=300"})


def form_of(asked: Asked) -> dict[str, str]:
    """The values of a form; blank ones count as not sent (RFC 6749 section 3.2).

    Raises:
        OAuthProblem: the body is not a form, or repeats a parameter (RFC 6749 section 3.2).
    """
    is_form = asked.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    if asked.content and not is_form:  # an empty form is not a body, and needs no type
        raise OAuthProblem("invalid_request", f"The body must be {FORM}.")
    pairs = parse_qsl(asked.content.decode(errors="replace"))
    if len(pairs) != len(dict(pairs)):
        raise OAuthProblem("invalid_request", "A parameter occurs more than once.")
    return dict(pairs)


def answered(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in the JSON of the RFCs."""
    standing = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Answer(status, {**standing, **(headers or {})}, msgspec.json.encode(value))


def refusal(problem: OAuthProblem) -> Answer:
    """A refusal (RFC 6749 section 5.2)."""
    challenge = {"WWW-Authenticate": 'Basic realm="BlueRound"'} if problem.status == 401 else {}
    about = {"error": problem.error, "error_description": problem.description}
    return answered(about, problem.status, {**challenge, **problem.headers})


ENDPOINTS: Mapping[tuple[str, str], Callable[[State, Asked], Answer]] = {
    ("POST", "/oauth/token"): token,
    ("POST", "/oauth/device_authorization"): device_authorization,
    ("POST", "/oauth/revoke"): revoke,
    ("POST", "/oauth/introspect"): introspect,
    ("GET", "/.well-known/oauth-authorization-server"): metadata,
    ("GET", "/.well-known/jwks.json"): jwks,
}
"""By method and path."""
