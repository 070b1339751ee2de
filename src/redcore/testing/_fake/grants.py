"""The grants of the fake's token endpoint, and the person's part in them (contract section 6)."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit

from redcore.testing._fake.access import ROLE_SCOPES, authenticated
from redcore.testing._fake.assertions import read_assertion
from redcore.testing._fake.problem import OAuthProblem
from redcore.testing._fake.state import Row, State
from redcore.testing._fake.tokens import end_family, issue, narrow, refreshed

CODE_S = 60  # as the server's authorization codes
DEVICE_CODE_S, INTERVAL_S, SLOWER_S = 900, 5, 5  # as the server's device codes; RFC 8628 section 3.5
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1
VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # RFC 7636 section 4.1
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?((?:[/?].*)?)")  # RFC 8252 section 7.3: any port

Grant = Callable[[State, str, Mapping[str, str]], Row]
"""The answer to an application with a form.

Raises:
    OAuthProblem: the grant is refused.
"""


def token(state: State, headers: Mapping[str, str], form: Mapping[str, str]) -> Row:
    """`POST /oauth/token`.

    Raises:
        OAuthProblem: the application or the grant is refused.
    """
    if "grant_type" not in form:
        raise OAuthProblem("invalid_request", "grant_type is missing.")
    if not VERIFIER.fullmatch(form.get("code_verifier", "x" * 43)):
        raise OAuthProblem("invalid_request", "code_verifier must be 43 to 128 of A-Z a-z 0-9 - . _ ~")
    grant = GRANTS.get(form["grant_type"])
    if grant is None:
        raise OAuthProblem("unsupported_grant_type", "The grant type is not supported.")
    return grant(state, authenticated(state, headers, form), form)


def client_credentials(state: State, client_id: str, form: Mapping[str, str]) -> Row:
    """An application acts for itself, within its owner's role (RFC 6749 section 4.4)."""
    if state.secrets[client_id] is None:
        raise OAuthProblem("unauthorized_client", "A public client has no credentials to ask with.")
    scope = narrow(form.get("scope"), state.applications[client_id]["scopes"])
    return issue(state, client_id, scope, subject=client_id, user_id=state.owners[client_id])


def authorization_code(state: State, client_id: str, form: Mapping[str, str]) -> Row:
    """An application redeems what a person has agreed to, once (RFC 6749 section 4.1, RFC 7636)."""
    if "code" not in form:
        raise OAuthProblem("invalid_request", "Missing 'code' in request.")
    held = state.codes.get(form["code"])
    if held is None or held["client_id"] != client_id:
        raise refused_code()
    if held["family"] is not None:  # used before: its tokens may be in wrong hands
        end_family(state, held["family"])
        raise refused_code()
    if held["ends_at"] <= state.now() or held["redirect_uri"] != form.get("redirect_uri", ""):
        raise refused_code()
    if "code_verifier" not in form:
        raise OAuthProblem("invalid_request", "Missing 'code_verifier'")
    challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    if held["code_challenge"] != challenge:
        raise OAuthProblem("invalid_grant", "Code challenge failed.")
    answer = issue(state, client_id, held["scope"], subject=held["user_id"], user_id=held["user_id"])
    held["family"] = state.tokens[answer["access_token"]]["family"]
    return answer


def refused_code() -> OAuthProblem:
    """The refusal of an authorization code, which does not say why."""
    return OAuthProblem("invalid_grant", "Invalid 'code' in request.")


def device_code(state: State, client_id: str, form: Mapping[str, str]) -> Row:
    """A device asks whether the person has decided (RFC 8628 section 3.5)."""
    if "device_code" not in form:
        raise OAuthProblem("invalid_request", "device_code is missing.")
    held, now = state.devices.get(form["device_code"]), state.now()
    if held is None or held["client_id"] != client_id:
        raise OAuthProblem("invalid_grant", "The device code is unknown or used.")
    if held["ends_at"] <= now:
        raise OAuthProblem("expired_token", "The device code has expired.")
    if held["status"] == "denied":
        raise OAuthProblem("access_denied", "The person has denied the request.")
    if held["status"] == "approved":
        del state.devices[form["device_code"]]
        return issue(state, client_id, held["scope"], subject=held["user_id"], user_id=held["user_id"])
    is_early = held["polled_at"] is not None and now - held["polled_at"] < held["interval"]
    held["polled_at"] = now
    if is_early:
        held["interval"] += SLOWER_S
        raise OAuthProblem("slow_down", "The device polls too often.")
    raise OAuthProblem("authorization_pending", "The person has not decided yet.")


def saml_bearer(state: State, client_id: str, form: Mapping[str, str]) -> Row:
    """An application shows the identity provider's assertion about a person, once (RFC 7522)."""
    if "assertion" not in form:
        raise OAuthProblem("invalid_request", "assertion is missing.")
    try:
        about = read_assertion(urlsafe_b64decode(form["assertion"] + "=="), state.now())
        person = by_email(state, about.email)
    except ValueError:
        raise OAuthProblem("invalid_grant", "The assertion is not valid.") from None
    ceiling = {"admin"} if person["role"] == "admin" else ROLE_SCOPES[person["role"]]
    scope = narrow(form.get("scope"), state.applications[client_id]["scopes"], ceiling)
    if about.id in state.assertions:
        raise OAuthProblem("invalid_grant", "The assertion is not valid.")
    state.assertions.add(about.id)
    return issue(state, client_id, scope, subject=person["id"], user_id=person["id"])


GRANTS: Mapping[str, Grant] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "refresh_token": refreshed,
    "urn:ietf:params:oauth:grant-type:device_code": device_code,
    "urn:ietf:params:oauth:grant-type:saml2-bearer": saml_bearer,
}
"""By `grant_type`."""


# The person's part --------------------------------------------------------------------------


def start_device(state: State, headers: Mapping[str, str], form: Mapping[str, str], origin: str) -> Row:
    """`POST /oauth/device_authorization` (RFC 8628 section 3.2)."""
    client_id = authenticated(state, headers, form)
    scope = narrow(form.get("scope"), state.applications[client_id]["scopes"])
    code, letters = secrets.token_urlsafe(32), "".join(secrets.choice(ALPHABET) for _ in range(8))
    user_code = f"{letters[:4]}-{letters[4:]}"
    state.devices[code] = {
        "client_id": client_id,
        "scope": scope,
        "user_code": user_code,
        "ends_at": state.now() + DEVICE_CODE_S,
        "interval": INTERVAL_S,
        "polled_at": None,
        "status": "pending",
    }
    return {
        "device_code": code,
        "user_code": user_code,
        "verification_uri": f"{origin}/oauth/device",
        "verification_uri_complete": f"{origin}/oauth/device?user_code={user_code}",
        "expires_in": DEVICE_CODE_S,
        "interval": INTERVAL_S,
    }


def decide_device(state: State, user_code: str, email: str, *, is_allowed: bool) -> None:
    """Enter the code of a device, and decide.

    Raises:
        ValueError: no device waits with this code, or there is no such person.
    """
    person, typed = by_email(state, email), user_code.upper().replace("-", "").replace(" ", "")
    for held in state.devices.values():
        is_waiting = held["status"] == "pending" and held["ends_at"] > state.now()
        if is_waiting and held["user_code"].replace("-", "") == typed:
            held.update(status="approved" if is_allowed else "denied", user_id=person["id"])
            return
    raise ValueError(f"no device waits with the code {user_code!r}")


def authorize(state: State, url: str, email: str, *, is_allowed: bool) -> str:
    """Open an authorization request in the browser, sign in, and decide; returns where the browser is sent back to.

    Raises:
        ValueError: the platform would show an error page, or there is no such person.
    """
    person, asked = by_email(state, email), dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    application = state.applications.get(asked.get("client_id", ""))
    if application is None:
        raise ValueError("the platform shows an error page: no application has this client_id")
    redirect_uri = asked.get("redirect_uri", "")
    if not is_registered(redirect_uri, application["redirect_uris"]):
        raise ValueError(f"the platform shows an error page: {redirect_uri!r} is not a redirect URI of the application")
    try:
        parameters = {"code": new_code(state, application, person, asked, is_allowed=is_allowed)}
    except OAuthProblem as problem:
        parameters = {"error": problem.error, "error_description": problem.description}
    origin = urlsplit(url)
    parameters |= {name: asked[name] for name in ("state",) if name in asked}
    parameters["iss"] = f"{origin.scheme}://{origin.netloc}"  # RFC 9207
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(parameters)}"


def new_code(state: State, application: Row, person: Row, asked: Mapping[str, str], *, is_allowed: bool) -> str:
    """Check an authorization request, and keep what the person agrees to."""
    if asked.get("response_type") != "code":
        raise OAuthProblem("unsupported_response_type", "response_type must be code.")
    if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        raise OAuthProblem("invalid_request", "PKCE is needed: send code_challenge and code_challenge_method=S256.")
    scope = narrow(asked.get("scope"), application["scopes"])
    if not is_allowed:
        raise OAuthProblem("access_denied", "The person has denied the request.")
    ceiling = {"admin"} if person["role"] == "admin" else ROLE_SCOPES[person["role"]]
    code = secrets.token_urlsafe(32)
    state.codes[code] = {
        "client_id": application["id"],
        "user_id": person["id"],
        "redirect_uri": asked.get("redirect_uri", ""),
        "scope": narrow(" ".join(scope.split()) if "scope" in asked else None, scope.split(), ceiling),
        "code_challenge": asked["code_challenge"],
        "ends_at": state.now() + CODE_S,
        "family": None,
    }
    return code


def is_registered(requested: str, registered: list[str]) -> bool:
    """Whether a redirect URI is one of the application's, except for the port of a loopback address."""
    mine = LOOPBACK.fullmatch(requested)
    return requested in registered or any(
        mine is not None and (theirs := LOOPBACK.fullmatch(uri)) is not None and mine.groups() == theirs.groups()
        for uri in registered
    )


def by_email(state: State, email: str) -> Row:
    """An active person.

    Raises:
        ValueError: there is none.
    """
    for user in state.users.values():
        if user["email"].casefold() == email.casefold() and user["status"] == "active":
            return user
    raise ValueError(f"no active person has the e-mail {email!r}")
