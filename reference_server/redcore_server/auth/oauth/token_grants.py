"""The grants of the token endpoint: client credentials and refresh token."""

# Authlib's type stubs differ from its types at run time.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportUnknownMemberType=false

from __future__ import annotations

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, UnauthorizedClientError, grants

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.oauth.client_authentication import invalid_client
from redcore_server.auth.oauth.greenlets import wait
from redcore_server.auth.oauth.scope import narrow
from redcore_server.auth.oauth.server import FormRequest, OAuthServer, TokenResponse
from redcore_server.auth.tokens.grant_store import Grant


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    """RFC 6749 section 4.4; unlike the RFC's advice, the response has a refresh token (contract section 6)."""

    server: OAuthServer
    request: FormRequest
    application: Application
    scope: str

    def validate_token_request(self) -> None:
        """Authenticate the client and narrow the scope."""
        self.application = self.server.authenticate_client(self.request)
        if self.application.is_public:  # RFC 6749 section 4.4
            raise UnauthorizedClientError("A public client has no credentials to ask with.")
        self.scope = narrow(self.request.form.get("scope"), [self.application.scopes], self.server.scopes)

    def create_token_response(self) -> TokenResponse:
        """Issue the tokens; the client itself is their subject (RFC 9068 section 2.2)."""
        client = self.application
        issue = self.server.issuer.issue
        response = wait(issue(client, subject=client.id, owner_id=client.owner_id, scope=self.scope))
        if response is None:
            raise invalid_client()
        return 200, response, default_json_headers


class RefreshTokenGrant(grants.RefreshTokenGrant):
    """RFC 6749 section 6, with rotation and reuse detection in one atomic step."""

    server: OAuthServer
    request: FormRequest
    application: Application
    grant: Grant
    presented: str
    scope: str

    def validate_token_request(self) -> None:
        """Authenticate the client, find the grant and narrow the scope."""
        self.application = self.server.authenticate_client(self.request)
        if "refresh_token" not in self.request.form:
            raise InvalidRequestError("refresh_token is missing.")
        self.presented = self.request.form["refresh_token"]
        grant = wait(self.server.grants.of(self.presented))
        if grant is None or grant.client_id != self.application.id:
            raise _dead()
        self.grant = grant
        self.scope = narrow(
            self.request.form.get("scope"), [self._left_of(grant), self.application.scopes], self.server.scopes
        )

    def create_token_response(self) -> TokenResponse:
        """Rotate; of concurrent requests with one refresh token exactly one succeeds."""
        response = wait(self.server.issuer.refresh(self.application, self.grant, self.presented, self.scope))
        if response is None:
            raise _dead()
        return 200, response, default_json_headers

    def _left_of(self, grant: Grant) -> frozenset[str]:
        """Return the currently effective scope of the grant."""
        granted = wait(
            self.server.applications.granted(grant.scope.split(), client_id=grant.client_id, owner_id=grant.owner_id)
        )
        if granted is None:
            raise _dead()
        return granted


def _dead() -> InvalidGrantError:
    return InvalidGrantError("The refresh token is unknown, expired, used or revoked.")
