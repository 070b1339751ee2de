"""The authorization code grant with PKCE, for applications that are called back at an address of their own.

The address to send the person to; the checks of the redirect that comes back; the exchange of its code for tokens.
Keeping the request in between, bound to the person's browser session, is the application's part.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs

from redcore._base.response import Headers, Response
from redcore._call.config import Given, configure_login
from redcore._call.engine import CallOptions, Engine
from redcore._call.steps import Flow
from redcore._spec import operations
from redcore.exceptions import ArgumentError, AuthenticationError, ResponseError
from redcore.login.application import Login, perform, perform_async
from redcore.options import AsyncHttpClient, HttpClient
from redcore.tokens import TokenSet

LONGEST_DESCRIPTION = 500


def random_secret() -> str:
    """256 bits in 43 characters: enough for a state (RFC 6749 section 10.10) and a verifier (RFC 7636 section 7.1)."""
    return secrets.token_urlsafe(32)


@attrs.frozen(kw_only=True)
class AuthorizationRequest:
    """One login that was begun. Keep it until the redirect comes back, where only this person's browser leads to it."""

    client_id: str
    redirect_uri: str
    """Where the person comes back to."""
    auth_url: str
    """Origin of the OAuth endpoints."""
    scope: str | None = None
    state: str = attrs.field(factory=random_secret, repr=False)
    """Comes back with the redirect; so it is known to be the answer to this request."""
    code_verifier: str = attrs.field(factory=random_secret, repr=False)
    """Proves, when the code is exchanged, who began the login (RFC 7636)."""

    @property
    def url(self) -> str:
        """Where to send the person's browser (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""
        challenge = urlsafe_b64encode(sha256(self.code_verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        told = {name: value for name, value in query.items() if value is not None}
        return f"{self.auth_url}/oauth/authorize?{urlencode(told)}"

    def as_dict(self) -> dict[str, str | None]:
        """The fields by name, for storing; `AuthorizationRequest(**stored)` is the way back."""
        return attrs.asdict(self)


def authorization_request(
    *,
    redirect_uri: str,
    client_id: str | None = None,
    scope: str | None = None,
    base_url: str | None = None,
    auth_url: str | None = None,
    environment: str | None = None,
) -> AuthorizationRequest:
    """Begin a login: make state and PKCE verifier, and the address to send the person to.

    Args:
        redirect_uri: Where the person comes back to, exactly as registered for the application.
        client_id: The application (`REDCORE_CLIENT_ID`).
        scope: Scopes to ask for, separated by spaces; None asks for all that the application may have.
        base_url: Where the API is (`REDCORE_BASE_URL`); wins over `environment`.
        auth_url: Origin of the OAuth endpoints (`REDCORE_AUTH_URL`); None is the origin of `base_url`.
        environment: `production` or `staging` (`REDCORE_ENVIRONMENT`); None is production.

    Returns:
        The request, to whose `url` the browser is to be sent.

    Raises:
        ArgumentError: the redirect URI is no absolute URI, or has a fragment (RFC 6749 section 3.1.2).
        ConfigurationError: there is no client id, or an address is bad.
    """
    config = configure_login(Given(client_id=client_id, base_url=base_url, auth_url=auth_url, environment=environment))
    if not is_absolute(redirect_uri):
        raise ArgumentError("redirect_uri must be an absolute URI without a fragment, as it is registered")
    return AuthorizationRequest(
        client_id=config.credentials.client_id or "",
        redirect_uri=redirect_uri,
        auth_url=config.auth_origin,
        scope=scope,
    )


def is_absolute(uri: str) -> bool:
    """Whether a URI is one that a browser can be sent to (RFC 6749 section 3.1.2)."""
    try:
        return bool(urlsplit(uri).scheme) and "#" not in uri
    except ValueError:
        return False


def exchange_code(
    request: AuthorizationRequest,
    redirect: str | Mapping[str, str],
    *,
    client_secret: str | None = None,
    timeout: float | None = None,
    max_retries: int | None = None,
    http_client: HttpClient | None = None,
) -> TokenSet:
    """Finish a login: check the redirect that came back, and exchange its code for tokens.

    Args:
        request: What `authorization_request` made for this person's browser.
        redirect: The URL that the browser came back to, its query, or the query's values by name.
        client_secret: Secret of the application (`REDCORE_CLIENT_SECRET`, if its id is that of the environment);
            None for a public one.
        timeout: Seconds one attempt may take (`REDCORE_TIMEOUT`); None is 30.
        max_retries: Attempts after the first (`REDCORE_MAX_RETRIES`); None is 2.
        http_client: An `httpx.Client` or `httpx2.Client` to send with, which stays yours to close; None makes one.

    Returns:
        The tokens of the person.

    Raises:
        AuthenticationError: the redirect does not answer this request (`state_mismatch`, `issuer_mismatch`), the person
            or the server refused (`access_denied` and others of RFC 6749 section 4.1.2.1), or the code is refused
            (`invalid_grant`).
        ResponseError: the redirect has neither a code nor an error, or an answer cannot be read.
        RedcoreAPIError: 429, 500 or 503.
        NetworkError: no answer came.
    """
    login = code_grant(request, code_in(request, redirect))
    return perform(login, options_of(request, client_secret, timeout, max_retries, http_client))


async def exchange_code_async(
    request: AuthorizationRequest,
    redirect: str | Mapping[str, str],
    *,
    client_secret: str | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 (of one attempt, as everywhere in the SDK)
    max_retries: int | None = None,
    http_client: AsyncHttpClient | None = None,
) -> TokenSet:
    """As `exchange_code`, for asyncio and trio."""
    login = code_grant(request, code_in(request, redirect))
    return await perform_async(login, options_of(request, client_secret, timeout, max_retries, http_client))


def options_of(
    request: AuthorizationRequest,
    client_secret: str | None,
    timeout: float | None,
    max_retries: int | None,
    http_client: HttpClient | AsyncHttpClient | None,
) -> dict[str, Any]:
    """What the exchange of a code goes through."""
    return {
        "client_id": request.client_id,
        "client_secret": client_secret,
        "base_url": request.auth_url,
        "auth_url": request.auth_url,
        "timeout": timeout,
        "max_retries": max_retries,
        "http_client": http_client,
    }


def code_grant(request: AuthorizationRequest, code: str) -> Login[TokenSet]:
    """The exchange of a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
    operation = operations.auth_token(
        grant_type="authorization_code",
        code=code,
        redirect_uri=request.redirect_uri,
        code_verifier=request.code_verifier,
    )

    def login(engine: Engine, options: CallOptions) -> Flow[TokenSet]:
        return engine.grant(operation, options)

    return login


# The redirect --------------------------------------------------------------------------------


def code_in(request: AuthorizationRequest, redirect: str | Mapping[str, str]) -> str:
    """The code, if the redirect is the answer to the request.

    Raises:
        AuthenticationError: it is not, or it says that the login was refused.
        ResponseError: it says nothing.
    """
    told = values(redirect)
    # The state first: without it, whatever else is told may come from anybody.
    if not same(told.get("state", ""), request.state):
        raise refused("state_mismatch", "the redirect is not the answer to this request; begin another login")
    if not same(told.get("iss", ""), request.auth_url):  # RFC 9207 section 2.4
        raise refused("issuer_mismatch", f"the redirect does not come from {request.auth_url}; check auth_url")
    if "error" in told:
        raise refused(readable(told["error"]), readable(told.get("error_description", "")) or "the login was refused")
    if not told.get("code"):
        raise ResponseError("the redirect has neither a code nor an error")
    return told["code"]


def answers(request: AuthorizationRequest, query: str) -> bool:
    """Whether the query of a redirect has the state of a request, and a code or an error with it."""
    try:
        given = parsed(query)
    except ResponseError:
        return False
    return same(given.get("state", ""), request.state) and bool(given.get("code") or given.get("error"))


def values(redirect: object) -> dict[str, str]:
    """The parameters of a redirect.

    Raises:
        ArgumentError: it is neither text nor text by name.
        ResponseError: it is no URL, or has a parameter twice (RFC 6749 section 3.1).
    """
    if isinstance(redirect, str):
        return parsed(redirect)
    told = dict(cast("Mapping[object, object]", redirect)) if isinstance(redirect, Mapping) else {None: None}
    if not all(isinstance(text, str) for text in (*told, *told.values())):
        raise ArgumentError("redirect must be a URL, its query, or the query's values by name, each a str")
    return cast("dict[str, str]", told)


def parsed(redirect: str) -> dict[str, str]:
    """The parameters of a URL or its query."""
    before, mark, _ = redirect.partition("?")
    is_query = not mark or ("=" in before and "/" not in before)
    try:
        query = redirect if is_query else urlsplit(redirect).query
    except ValueError:  # not chained: its message may quote the code
        raise ResponseError("the redirect is no URL") from None
    pairs = parse_qsl(query, keep_blank_values=True)
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ResponseError("the redirect repeats a parameter")
    return told


def same(told: str, expected: str) -> bool:
    """Whether two strings are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(told.encode(errors="replace"), expected.encode())


def refused(code: str, message: str) -> AuthenticationError:
    """The error of a redirect; 400 is what the token endpoint would have answered."""
    return AuthenticationError(message, response=Response(400, Headers({})), code=code)


def readable(text: str) -> str:
    """Text that came through a browser, without what terminals would act on."""
    return "".join(character for character in text if character.isprintable())[:LONGEST_DESCRIPTION]
