"""Who is calling the fake, and what they may do: API keys, access tokens, the OAuth endpoints (contract section 6)."""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import attrs

from redcore.testing._fake.problem import OAuthProblem, Problem
from redcore.testing._fake.state import Row, State

ACCESS_TOKEN_S = 3600  # contract section 6
REFRESH_TOKEN_S = 30 * 24 * 3600  # contract section 6, sliding
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
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise refused("INVALID_TOKEN", "This call needs an access token or an API key.")
    token = token.strip()
    if token in state.keys:
        key = state.api_keys[state.keys[token]]
        if key["expires_at"] is not None and key["expires_at"] <= state.moment():
            raise refused("TOKEN_EXPIRED", "The API key has expired.")
        return limited(state, key["id"], frozenset(key["scopes"]))
    found = state.tokens.get(token)
    if found is None or found["kind"] != "access":
        raise refused("INVALID_TOKEN", "The access token is malformed, unknown or revoked.")
    if found["ends_at"] <= state.now():
        raise refused("TOKEN_EXPIRED", "The access token has expired.")
    return limited(state, found["client_id"], frozenset(found["scope"].split()))


def limited(state: State, credential: str, scopes: frozenset[str]) -> Caller:
    """The caller, with no more than the role of the credential's owner allows at this moment (contract section 5).

    Raises:
        Problem: INVALID_TOKEN, if the owner is gone or inactive.
    """
    owner = state.users.get(state.owners[credential])
    if owner is None or owner["status"] != "active":
        raise refused("INVALID_TOKEN", "The access token is malformed, unknown or revoked.")
    if owner["role"] == "admin":
        return Caller(credential, owner["id"], scopes)
    ceiling = ROLE_SCOPES[owner["role"]]
    return Caller(credential, owner["id"], ceiling if "admin" in scopes else scopes & ceiling)


def refused(code: str, message: str) -> Problem:
    """A 401 with its challenge (RFC 6750 section 3)."""
    challenge = f'Bearer realm="BlueRound", error="invalid_token", error_description="{message}"'
    return Problem(code, message, headers={"WWW-Authenticate": challenge})


# The OAuth endpoints -------------------------------------------------------------------------


def token(state: State, headers: Mapping[str, str], content: bytes) -> Row:
    """`POST /oauth/token`.

    Raises:
        OAuthProblem: the client or the grant is refused.
    """
    form = form_of(content)
    client_id = authenticated(state, headers, form)
    match form.get("grant_type"):
        case "client_credentials":
            return client_credentials(state, client_id, form.get("scope"))
        case "refresh_token":
            return refreshed(state, client_id, form)
        case None:
            raise OAuthProblem("invalid_request", "grant_type is missing.")
        case other:
            raise OAuthProblem("unsupported_grant_type", f"The fake does not know {other!r}; the server does.")


def client_credentials(state: State, client_id: str, scope: str | None) -> Row:
    """The grant of an application that acts for its owner (RFC 6749 section 4.4)."""
    if state.secrets[client_id] is None:
        raise OAuthProblem("unauthorized_client", "A public application has no tokens of its own.")
    allowed = state.applications[client_id]["scopes"]
    wanted = scope.split() if scope else allowed
    if unknown := [name for name in wanted if name not in allowed and "admin" not in allowed]:
        raise OAuthProblem("invalid_scope", f"The application may not ask for {unknown[0]}.")
    return pair(state, client_id, " ".join(sorted(wanted)), state.new_id("fam"))


def refreshed(state: State, client_id: str, form: Mapping[str, str]) -> Row:
    """The refresh grant: rotates, and revokes the family when a dead token comes back (RFC 9700 section 4.14)."""
    held = state.tokens.get(form.get("refresh_token", ""))
    if held is None or held["kind"] != "refresh" or held["client_id"] != client_id:
        raise OAuthProblem("invalid_grant", "The refresh token is unknown or revoked.")
    if held["used"]:
        end_family(state, held["family"])
        raise OAuthProblem("invalid_grant", "The refresh token was used before; all its tokens are revoked.")
    if held["ends_at"] <= state.now():
        raise OAuthProblem("invalid_grant", "The refresh token has expired.")
    held["used"] = True
    wanted = form.get("scope", held["scope"])
    if set(wanted.split()) - set(held["scope"].split()):
        raise OAuthProblem("invalid_scope", "A refresh cannot ask for more than was granted.")
    return pair(state, client_id, wanted, held["family"])


def pair(state: State, client_id: str, scope: str, family: str) -> Row:
    """A new token pair."""
    access, refresh = f"fake_at_{secrets.token_hex(16)}", f"fake_rt_{secrets.token_hex(16)}"
    shared: dict[str, Any] = {"client_id": client_id, "scope": scope, "family": family, "used": False}
    state.tokens[access] = {**shared, "kind": "access", "ends_at": state.now() + ACCESS_TOKEN_S}
    state.tokens[refresh] = {**shared, "kind": "refresh", "ends_at": state.now() + REFRESH_TOKEN_S}
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_S,
        "refresh_token": refresh,
        "scope": scope,
    }


def revoke(state: State, headers: Mapping[str, str], content: bytes) -> None:
    """`POST /oauth/revoke` (RFC 7009): unknown tokens are no error."""
    form = form_of(content)
    client_id = authenticated(state, headers, form)
    held = state.tokens.get(form.get("token", ""))
    if held is None or held["client_id"] != client_id:
        return
    if held["kind"] == "refresh":
        end_family(state, held["family"])
    else:
        del state.tokens[form["token"]]


def introspect(state: State, headers: Mapping[str, str], content: bytes) -> Row:
    """`POST /oauth/introspect` (RFC 7662)."""
    form = form_of(content)
    authenticated(state, headers, form)
    held = state.tokens.get(form.get("token", ""))
    if held is None or held["used"] or held["ends_at"] <= state.now():
        return {"active": False}
    owner = state.owners[held["client_id"]]
    return {
        "active": True,
        "scope": held["scope"],
        "client_id": held["client_id"],
        "sub": owner,
        "exp": int(held["ends_at"]),
    }


def end_family(state: State, family: str) -> None:
    """End all tokens that come from one grant."""
    state.tokens = {token: held for token, held in state.tokens.items() if held["family"] != family}


def end_credentials(state: State, user_id: str) -> None:
    """End all tokens that act for a user."""
    theirs = {credential for credential, owner in state.owners.items() if owner == user_id}
    state.tokens = {token: held for token, held in state.tokens.items() if held["client_id"] not in theirs}


def authenticated(state: State, headers: Mapping[str, str], form: Mapping[str, str]) -> str:
    """The id of the client that asks (RFC 6749 section 2.3.1).

    Raises:
        OAuthProblem: invalid_client.
    """
    client_id, secret = form.get("client_id", ""), form.get("client_secret")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, word = b64decode(encoded).decode().partition(":")
        client_id, secret = unquote_plus(name), unquote_plus(word)
    known = client_id in state.secrets
    expected = state.secrets.get(client_id)
    if not known or not (expected is None or secrets.compare_digest((secret or "").encode(), expected.encode())):
        raise OAuthProblem("invalid_client", "The client id or its secret is wrong.", status=401)
    return client_id


def form_of(content: bytes) -> dict[str, str]:
    """The values of a form."""
    return dict(parse_qsl(content.decode(), keep_blank_values=True))
