"""Who is calling the fake, and what they may do: API keys, access tokens, the credentials of applications."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from secrets import compare_digest
from urllib.parse import unquote_plus

import attrs

from redcore.testing._fake.problem import OAuthProblem, Problem
from redcore.testing._fake.state import State

REALM = 'Bearer realm="BlueRound"'
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1
UNKNOWN = "The access token is not valid."
ROLE_SCOPES: Mapping[str, frozenset[str]] = {
    "viewer": frozenset(
        {"profile:read", "profile:write", "users:read", "products:read", "workflows:read", "files:read"}
    ),
    "editor": frozenset(
        {
            *("profile:read", "profile:write", "users:read", "products:read", "products:write"),
            *("workflows:read", "workflows:write", "files:read", "files:write"),
        }
    ),
}
"""What a credential of a user with this role may do at most; an administrator may do everything."""


@attrs.frozen
class Caller:
    """Whose request it is."""

    credential: str
    """The id of the API key or application."""
    user_id: str
    scopes: frozenset[str]
    ends_at: float | None = None
    """When the credential ends, in Unix seconds; None if never."""

    def described(self) -> Mapping[str, str]:
        """The headers that describe the credential to its holder."""
        ends = {} if self.ends_at is None else {"X-Credential-Expires": str(int(self.ends_at))}
        return {"X-OAuth-Scopes": " ".join(sorted(self.scopes)), **ends}

    def may(self, scope: str) -> bool:
        """Whether the scope is granted; `admin` grants every one."""
        return scope in self.scopes or "admin" in self.scopes

    def require(self, scope: str) -> None:
        """Refuse what is not granted.

        Raises:
            Problem: INSUFFICIENT_SCOPE.
        """
        if not self.may(scope):
            challenge = f'Bearer realm="BlueRound", error="insufficient_scope", scope="{scope}"'
            message = f"This call needs the scope {scope}."
            raise Problem("INSUFFICIENT_SCOPE", message, headers={"WWW-Authenticate": challenge})


def caller(state: State, headers: Mapping[str, str]) -> Caller:
    """Who sends a request.

    Raises:
        Problem: INVALID_TOKEN or TOKEN_EXPIRED.
    """
    if "authorization" not in headers:
        message = "This call needs an access token or an API key, sent as Authorization: Bearer."
        raise Problem("INVALID_TOKEN", message, headers={"WWW-Authenticate": REALM})
    scheme, _, token = headers["authorization"].partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not TOKEN.fullmatch(token):
        raise refused("INVALID_TOKEN", "Send one Authorization header: Bearer and the access token or API key.")
    if token in state.keys:
        key = state.api_keys[state.keys[token]]
        if key["expires_at"] is not None and key["expires_at"] <= state.moment():
            raise refused("TOKEN_EXPIRED", "The API key has expired.")
        ends_at = None if key["expires_at"] is None else seconds(key["expires_at"])
        return limited(state, key["id"], state.owners[key["id"]], frozenset(key["scopes"]), ends_at)
    found = state.tokens.get(token)
    if found is None or found["kind"] != "access":
        raise refused("INVALID_TOKEN", UNKNOWN)
    if found["ends_at"] <= state.now():
        raise refused("TOKEN_EXPIRED", "The access token has expired.")
    scopes = frozenset(found["scope"].split())
    return limited(state, found["client_id"], found["user_id"], scopes, found["ends_at"])


def seconds(moment: str) -> float:
    """A moment in ISO 8601, in Unix seconds."""
    return datetime.fromisoformat(moment).timestamp()


def limited(state: State, credential: str, user_id: str, scopes: frozenset[str], ends_at: float | None) -> Caller:
    """The caller, with no more than the role of the person behind it allows at this moment (contract section 5).

    Raises:
        Problem: INVALID_TOKEN, if the person is gone or inactive.
    """
    owner = state.users.get(user_id)
    if owner is None or owner["status"] != "active":
        raise refused("INVALID_TOKEN", UNKNOWN)
    if owner["role"] == "admin":
        return Caller(credential, owner["id"], scopes, ends_at)
    ceiling = ROLE_SCOPES[owner["role"]]
    return Caller(credential, owner["id"], ceiling if "admin" in scopes else scopes & ceiling, ends_at)


def refused(code: str, message: str) -> Problem:
    """A 401 with its challenge (RFC 6750 section 3)."""
    challenge = f'{REALM}, error="invalid_token", error_description="{message}"'
    return Problem(code, message, headers={"WWW-Authenticate": challenge})


def authenticated(state: State, headers: Mapping[str, str], form: Mapping[str, str]) -> str:
    """The id of the application that asks (RFC 6749 section 2.3.1).

    Raises:
        OAuthProblem: invalid_client; invalid_request if it shows itself in two ways.
    """
    client_id, secret = form.get("client_id", ""), form.get("client_secret")
    if authorization := headers.get("authorization"):
        client_id, secret = basic(authorization)
        if "client_secret" in form or form.get("client_id", client_id) != client_id:
            raise OAuthProblem("invalid_request", "The request uses more than one way to authenticate the client.")
    expected = state.secrets.get(client_id, "")
    is_right = expected is None or (expected and compare_digest((secret or "").encode(), expected.encode()))
    owner = state.users.get(state.owners.get(client_id, ""))
    if not is_right or owner is None or owner["status"] != "active":
        raise unauthenticated()
    return client_id


def basic(authorization: str) -> tuple[str, str]:
    """The id and the secret of the `Authorization` header."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, word = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise unauthenticated() from None
    if scheme.lower() != "basic" or not colon:
        raise unauthenticated()
    return unquote_plus(name), unquote_plus(word)


def unauthenticated() -> OAuthProblem:
    """The refusal of an application, which does not say why."""
    return OAuthProblem("invalid_client", "The client could not be authenticated.", status=401)
