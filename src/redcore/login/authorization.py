"""The authorization code grant with PKCE, for applications with their own redirect URI.

Builds the authorization URL, checks the redirect, and exchanges its code for tokens. In between, the application must
keep the request, bound to the person's browser session.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs

from redcore._base.response import Headers, Response
from redcore._call.arguments import ClientArguments
from redcore._call.config import configure_login
from redcore._call.engine import CallOptions, Engine
from redcore._call.steps import Flow
from redcore._spec import operations
from redcore._wire.encoding import texts
from redcore.exceptions import ArgumentError, AuthenticationError, ResponseError
from redcore.login.application import Login, perform, perform_async
from redcore.options import AsyncHttpClient, HttpClient
from redcore.tokens import TokenSet

LONGEST_DESCRIPTION = 500  # characters of a server's explanation: some sentences
QUERY = re.compile("[^:/?#&]+=")  # a URL begins with a scheme or a path; in a query, `/` and `?` may follow (RFC 3986)


def random_secret() -> str:
    """256 bits in 43 characters: enough for a state (RFC 6749 section 10.10) and a verifier (RFC 7636 section 7.1)."""
    return secrets.token_urlsafe(32)


@attrs.frozen(kw_only=True)
class AuthorizationRequest:
    """A login in progress. Keep it until the redirect arrives, bound to this person's browser session."""

    client_id: str
    redirect_uri: str
    """Where the browser is redirected to after the login."""
    auth_url: str
    """Origin of the OAuth endpoints."""
    scope: str | None = None
    state: str = attrs.field(factory=random_secret, repr=False)
    """Returned with the redirect, which shows that the redirect answers this request."""
    code_verifier: str = attrs.field(factory=random_secret, repr=False)
    """Proves, when the code is exchanged, that the same client began the login (RFC 7636)."""

    @property
    def url(self) -> str:
        """The URL to send the person's browser to (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""
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
        return f"{self.auth_url}/oauth/authorize?{urlencode(texts(query))}"

    def as_dict(self) -> dict[str, str | None]:
        """The fields as a dict, for storing; `AuthorizationRequest(**stored)` restores the object."""
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
    """Begin a login: create state, PKCE verifier and authorization URL.

    Args:
        redirect_uri: Where the browser is redirected to after the login, exactly as registered for the application.
        client_id: The application (`REDCORE_CLIENT_ID`).
        scope: Scopes to request, separated by spaces; None requests all that the application may have.
        base_url: URL of the API (`REDCORE_BASE_URL`); takes precedence over `environment`.
        auth_url: Origin of the OAuth endpoints (`REDCORE_AUTH_URL`); None means the origin of `base_url`.
        environment: `production` or `staging` (`REDCORE_ENVIRONMENT`); None means production.

    Returns:
        The request; send the browser to its `url`.

    Raises:
        ArgumentError: the redirect URI is not absolute, or has a fragment (RFC 6749 section 3.1.2).
        ConfigurationError: no client id, or an invalid URL.
    """
    config = configure_login(
        ClientArguments(client_id=client_id, base_url=base_url, auth_url=auth_url, environment=environment)
    )
    if not is_absolute(redirect_uri):
        raise ArgumentError("redirect_uri must be an absolute URI without a fragment, as it is registered")
    return AuthorizationRequest(
        client_id=config.credentials.client_id or "",
        redirect_uri=redirect_uri,
        auth_url=config.auth_origin,
        scope=scope,
    )


def is_absolute(uri: object) -> bool:
    """Whether a browser can be redirected to a URI (RFC 6749 section 3.1.2)."""
    try:
        return isinstance(uri, str) and bool(urlsplit(uri).scheme) and "#" not in uri
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
    """Finish a login: check the redirect, and exchange its code for tokens.

    Args:
        request: The result of `authorization_request` for this person's browser.
        redirect: The URL that the browser was redirected to, its query string, or the query parameters as a mapping.
        client_secret: Secret of the application (`REDCORE_CLIENT_SECRET`, if the id comes from the environment); None
            for a public application.
        timeout: Seconds one attempt may take (`REDCORE_TIMEOUT`); None means 30.
        max_retries: Attempts after the first (`REDCORE_MAX_RETRIES`); None means 2.
        http_client: An `httpx.Client` or `httpx2.Client` to send requests with; the SDK never closes it. None opens new
            connections.

    Returns:
        The tokens of the person.

    Raises:
        AuthenticationError: the redirect does not belong to this request (`state_mismatch`, `issuer_mismatch`), the
            person or the server denied the login (`access_denied` and others of RFC 6749 section 4.1.2.1), or the
            code was rejected (`invalid_grant`).
        ResponseError: the redirect has neither a code nor an error, or a response cannot be read.
        RedcoreAPIError: 429, 500 or 503.
        NetworkError: no response was received.
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
    """Like `exchange_code`, for asyncio and trio."""
    login = code_grant(request, code_in(request, redirect))
    return await perform_async(login, options_of(request, client_secret, timeout, max_retries, http_client))


def options_of(
    request: AuthorizationRequest,
    client_secret: str | None,
    timeout: float | None,
    max_retries: int | None,
    http_client: HttpClient | AsyncHttpClient | None,
) -> dict[str, Any]:
    """The options of the token request."""
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
    """The token request for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
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
    """Return the code of a redirect that belongs to the request.

    Raises:
        ArgumentError: the request is something else, such as a stored one that was not restored.
        AuthenticationError: it does not belong to the request, or it reports that the login was denied.
        ResponseError: it has neither a code nor an error.
    """
    if not isinstance(cast("object", request), AuthorizationRequest):
        raise ArgumentError(
            "request must be an AuthorizationRequest; restore a stored one: AuthorizationRequest(**stored)"
        )
    parameters = values(redirect)
    # Check the state first: without it, the other parameters may come from an attacker.
    if not same(parameters.get("state", ""), request.state):
        raise refused("state_mismatch", "the redirect is not the answer to this request; begin another login")
    if not same(parameters.get("iss", ""), request.auth_url):  # RFC 9207 section 2.4
        raise refused("issuer_mismatch", f"the redirect does not come from {request.auth_url}; check auth_url")
    if "error" in parameters:
        raise refused(
            readable(parameters["error"]), readable(parameters.get("error_description", "")) or "the login was refused"
        )
    if not parameters.get("code"):
        raise ResponseError("the redirect has neither a code nor an error")
    return parameters["code"]


def answers(request: AuthorizationRequest, query: str) -> bool:
    """Whether the query of a redirect has the state of a request, and a code or an error."""
    try:
        given = parsed(query)
    except ResponseError:
        return False
    return same(given.get("state", ""), request.state) and bool(given.get("code") or given.get("error"))


def values(redirect: object) -> dict[str, str]:
    """Parse the parameters of a redirect.

    Raises:
        ArgumentError: it is neither a string nor a mapping of strings.
        ResponseError: it is not a valid URL, or repeats a parameter (RFC 6749 section 3.1).
    """
    if isinstance(redirect, str):
        return parsed(redirect)
    parameters = dict(cast("Mapping[object, object]", redirect)) if isinstance(redirect, Mapping) else {None: None}
    if not all(isinstance(text, str) for text in (*parameters, *parameters.values())):
        raise ArgumentError("redirect must be a URL, its query, or the query's values by name, each a str")
    return cast("dict[str, str]", parameters)


def parsed(redirect: str) -> dict[str, str]:
    """The parameters of a URL or query string."""
    is_query = "?" not in redirect or QUERY.match(redirect)
    try:
        query = redirect if is_query else urlsplit(redirect).query
    except ValueError:  # not chained: its message may quote the code
        raise ResponseError("the redirect is not a URL") from None
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise ResponseError("the redirect repeats a parameter")
    return parameters


def same(given: str, expected: str) -> bool:
    """Compare two strings in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def refused(code: str, message: str) -> AuthenticationError:
    """Make the error of a redirect, with status 400 as the token endpoint would use."""
    return AuthenticationError(message, response=Response(400, Headers({})), code=code)


def readable(text: str) -> str:
    """Text that came through a browser, without terminal control characters."""
    return "".join(character for character in text if character.isprintable())[:LONGEST_DESCRIPTION]
