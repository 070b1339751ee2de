"""Token pairs of the fake, and the families that they come from (contract section 6). They are opaque, not signed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from redcore.testing._fake.access import authenticated, limited, unauthenticated
from redcore.testing._fake.contract import contract
from redcore.testing._fake.problem import OAuthProblem
from redcore.testing._fake.state import Row, State

ACCESS_TOKEN_S = 3600  # contract section 6
REFRESH_TOKEN_S = 30 * 24 * 3600  # contract section 6, sliding


def narrow(requested: str | None, *ceilings: Iterable[str]) -> str:
    """The scopes to grant; without a request all of the first ceiling that the others allow, too.

    Raises:
        OAuthProblem: invalid_scope.
    """
    supported = frozenset(contract().scopes)
    limits = [supported if "admin" in ceiling else supported.intersection(ceiling) for ceiling in map(set, ceilings)]
    asked = set((requested or "").split())
    granted = asked or frozenset(ceilings[0]).intersection(*limits)
    if not granted or not all(limit.issuperset(granted) for limit in limits):
        raise OAuthProblem("invalid_scope", "The requested scope is unknown, malformed, or exceeds what was granted.")
    return " ".join(sorted(granted))


def issue(state: State, client_id: str, scope: str, *, subject: str, user_id: str) -> Row:
    """The first token pair of a grant.

    Args:
        state: Of the platform.
        client_id: The application.
        scope: What it may do.
        subject: The application's id if it acts for itself, else the person's.
        user_id: The person whose role limits it.
    """
    grant = {"client_id": client_id, "subject": subject, "user_id": user_id, "granted": scope}
    return pair(state, {**grant, "family": state.new_id("fam")}, scope)


def pair(state: State, grant: Row, scope: str) -> Row:
    """A new token pair of a grant."""
    access, refresh = f"fake_at_{secrets.token_hex(16)}", f"fake_rt_{secrets.token_hex(16)}"
    now = int(state.now())
    shared: Row = {**grant, "scope": scope, "used": False, "issued_at": now}
    state.tokens[access] = {**shared, "kind": "access", "ends_at": now + ACCESS_TOKEN_S}
    state.tokens[refresh] = {**shared, "scope": grant["granted"], "kind": "refresh", "ends_at": now + REFRESH_TOKEN_S}
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_S,
        "refresh_token": refresh,
        "scope": scope,
    }


def refreshed(state: State, client_id: str, form: Mapping[str, str]) -> Row:
    """The refresh grant: rotates, and revokes the family when a dead token comes back (RFC 9700 section 4.14)."""
    if "refresh_token" not in form:
        raise OAuthProblem("invalid_request", "refresh_token is missing.")
    held = state.tokens.get(form["refresh_token"])
    if held is None or held["kind"] != "refresh" or held["client_id"] != client_id:
        raise dead()
    if held["used"]:
        end_family(state, held["family"])
        raise dead()
    if held["ends_at"] <= state.now():
        raise dead()
    scope = narrow(form.get("scope"), scope_left(state, held).split(), state.applications[client_id]["scopes"])
    held["used"] = True
    return pair(state, {name: held[name] for name in ("client_id", "subject", "user_id", "granted", "family")}, scope)


def dead() -> OAuthProblem:
    """The refusal of a refresh token, which does not say why."""
    return OAuthProblem("invalid_grant", "The refresh token is unknown, expired, used or revoked.")


def scope_left(state: State, held: Row) -> str:
    """What a token may still do, as its person's role has it now; those who have left have no tokens."""
    caller = limited(state, held["client_id"], held["user_id"], frozenset(held["scope"].split()), None)
    return " ".join(sorted(caller.scopes))


def revoke(state: State, headers: Mapping[str, str], form: Mapping[str, str]) -> None:
    """`POST /oauth/revoke` (RFC 7009): unknown tokens are not an error."""
    client_id = authenticated(state, headers, form)
    held = state.tokens.get(token_of(form))
    if held is None:
        return
    if held["client_id"] != client_id:
        raise OAuthProblem("invalid_grant", "The token was issued to another client.")
    if held["kind"] == "refresh":
        end_family(state, held["family"])
    else:
        del state.tokens[form["token"]]


def introspect(state: State, headers: Mapping[str, str], form: Mapping[str, str], origin: str) -> Row:
    """`POST /oauth/introspect` (RFC 7662)."""
    if state.secrets[authenticated(state, headers, form)] is None:
        raise unauthenticated()  # anybody could use the id of a public application
    held = state.tokens.get(token_of(form))
    if held is None or held["used"] or held["ends_at"] <= state.now():
        return {"active": False}
    about = {
        "active": True,
        "scope": scope_left(state, held),
        "client_id": held["client_id"],
        "sub": held["subject"],
        "iss": origin,
        "iat": held["issued_at"],
        "exp": held["ends_at"],
    }
    if held["kind"] == "refresh":
        return {**about, "token_type": "refresh_token"}
    return {**about, "token_type": "Bearer", "aud": f"{origin}/v1", "jti": form["token"][-22:]}


def token_of(form: Mapping[str, str]) -> str:
    """The token that an endpoint is asked about."""
    if "token" not in form:
        raise OAuthProblem("invalid_request", "token is missing.")
    return form["token"]


def end_family(state: State, family: str) -> None:
    """End all tokens that come from one grant."""
    state.tokens = {token: held for token, held in state.tokens.items() if held["family"] != family}


def end_credentials(state: State, user_id: str) -> None:
    """End all tokens that act for a user, and what the user has just agreed to."""
    state.tokens = {token: held for token, held in state.tokens.items() if held["user_id"] != user_id}
    for granted in (state.codes, state.devices):
        for name in [name for name, held in granted.items() if held.get("user_id") == user_id]:
            del granted[name]
