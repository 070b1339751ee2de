"""The authorization server: Authlib's, with our clients, our tokens and our store behind it.

It is sync and runs in greenlets. Requests and replies are plain values; `app` handles HTTP.
"""

# Authlib's type stubs differ from its types at run time.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportUnknownMemberType=false

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

import attrs
from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import BaseGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from redcore_server.auth.credentials.applications import Application, Applications
from redcore_server.auth.oauth.client_authentication import credentials, invalid_client
from redcore_server.auth.oauth.greenlets import wait
from redcore_server.auth.tokens.access_token import AccessTokens
from redcore_server.auth.tokens.grant_store import GrantStore
from redcore_server.auth.tokens.issuer import TokenIssuer
from redcore_server.auth.tokens.reader import TokenReader
from redcore_server.clock import Clock
from redcore_server.errors import challenge

# Authlib's grants log whole token responses at level DEBUG.
logging.getLogger("authlib").setLevel(logging.INFO)

_CODE_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # RFC 7636 section 4.1
TokenResponse: TypeAlias = tuple[int, dict[str, Any], list[tuple[str, str]]]
"""What a grant of Authlib returns: status, body and headers."""


@attrs.frozen
class Reply:
    """A response as a plain value; an empty body is sent as no body."""

    status: int
    body: Mapping[str, Any] = attrs.field(repr=False)
    headers: Sequence[tuple[str, str]]


def refusal(error: OAuth2Error) -> Reply:
    """Return an error of RFC 6749 section 5.2 as a value."""
    return Reply(error.status_code, dict(error.get_body()), _with_challenge(error.status_code, error.get_headers()))


def _with_challenge(status: int, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers with the challenge of RFC 6749 section 5.2, which Authlib writes without a realm."""
    others = [(name, value) for name, value in headers if name.lower() != "www-authenticate"]
    return [*others, ("WWW-Authenticate", challenge("Basic"))] if status == 401 else others


def address_of(error: OAuth2Error) -> str:
    """Return the redirect URL that reports an error of RFC 6749 section 4.1.2.1 in its query.

    Args:
        error: An error with the redirect URI to report it to.
    """
    _, _, headers = cast("tuple[int, str, list[tuple[str, str]]]", error())
    return dict(headers)["Location"]


class FormRequest(OAuth2Request):
    """A form posted to an endpoint; each parameter occurs once."""

    payload: BasicOAuth2Payload

    def __init__(self, path: str, authorization: str | None, form: Mapping[str, str]) -> None:
        """Wrap the form.

        Args:
            path: Path of the endpoint.
            authorization: The `Authorization` header, if present.
            form: Form parameters; blank ones count as not sent (RFC 6749 section 3.2).
        """
        # Authlib rejects plain HTTP, but TLS ends at the gateway in front of us.
        super().__init__("POST", f"https://gateway{path}")
        self.authorization = authorization
        self._form = {name: value for name, value in form.items() if value}
        self.payload = BasicOAuth2Payload(self._form)

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        return self._form


class QueryRequest(OAuth2Request):
    """A request to the authorization endpoint; each parameter occurs once."""

    payload: BasicOAuth2Payload

    def __init__(self, parameters: Mapping[str, str]) -> None:
        """Wrap the parameters.

        Args:
            parameters: Query parameters; blank ones count as not sent (RFC 6749 section 3.1).
        """
        super().__init__("GET", "https://gateway/oauth/authorize")
        self.payload = BasicOAuth2Payload({name: value for name, value in parameters.items() if value})


class OAuthServer(AuthorizationServer):
    """Dispatches to grants and endpoints, which Authlib gives nothing but it: so it holds their dependencies."""

    def __init__(
        self,
        *,
        applications: Applications,
        grants: GrantStore,
        tokens: AccessTokens,
        reader: TokenReader,
        issuer: TokenIssuer,
        clock: Clock,
        scopes: frozenset[str],
    ) -> None:
        """Start without grants; `app` registers them.

        Args:
            applications: The clients.
            grants: Store of grants.
            tokens: The claims of access tokens.
            reader: Reads presented access tokens.
            issuer: Issues and refreshes tokens.
            scopes: All supported scopes.
        """
        super().__init__()
        self.applications = applications
        self.grants = grants
        self.tokens = tokens
        self.reader = reader
        self.issuer = issuer
        self.clock = clock
        self.scopes = scopes

    def query_client(self, client_id: str) -> Application | None:
        """Return an unauthenticated client, if it exists and its owner is active."""
        return wait(self.applications.find(client_id))

    def authenticate_client(self, request: FormRequest, *_: object) -> Application:
        """Return the client of a request; a public one has only its id, and the caller decides whether that is enough.

        Raises:
            InvalidClientError: It is unknown, its secret is wrong or missing, or its owner is not active.
        """
        client_id, secret = credentials(request.authorization, request.form)
        client = wait(self.applications.authenticate(client_id, secret, self.clock.now()))
        if client is None:
            raise invalid_client()
        return client

    def create_token_response(self, request: FormRequest) -> Reply:
        """Answer a token request."""
        if "grant_type" not in request.form:
            return refusal(InvalidRequestError("grant_type is missing."))
        verifier = request.form.get("code_verifier")
        if verifier is not None and not _CODE_VERIFIER.fullmatch(verifier):  # for every grant
            return refusal(InvalidRequestError("code_verifier must be 43 to 128 of A-Z a-z 0-9 - . _ ~"))
        return cast("Reply", super().create_token_response(request))

    def check_authorization(self, request: QueryRequest) -> BaseGrant:
        """Return the grant that a request to the authorization endpoint asks for, with its address checked.

        Raises:
            OAuth2Error: The request is not valid; `redirect_uri` is set if the error may be reported to the
                application.
        """
        return cast("BaseGrant", self.get_consent_grant(request))  # type: ignore[no-untyped-call]

    def answer_authorization(self, request: QueryRequest, grant: BaseGrant, consent: object | None) -> str:
        """Return the URL to redirect the browser to.

        Args:
            request: The checked request.
            grant: The grant that the check returned.
            consent: Consent of the person; None if the person refused.
        """
        reply = cast("Reply", self.create_authorization_response(request, grant_user=consent, grant=grant))
        return dict(reply.headers)["Location"]

    def answer_at(self, endpoint: str, request: FormRequest) -> Reply:
        """Answer a request to a registered endpoint."""
        return cast("Reply", self.create_endpoint_response(endpoint, request))  # type: ignore[no-untyped-call]

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        """Return the request, which already has the right type."""
        return request

    def handle_response(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[str, str]]) -> Reply:
        """Return Authlib's response as a plain value."""
        return Reply(status, body, _with_challenge(status, headers))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Do nothing: Authlib's signals have no receivers here."""
