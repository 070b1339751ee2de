"""The endpoints for revocation (RFC 7009) and introspection (RFC 7662).

Both ignore `token_type_hint`: the two kinds of token cannot be confused.
"""

# Authlib's type stubs differ from its types at run time.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Any, cast

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint as AuthlibRevocation
from authlib.oauth2.rfc7662 import IntrospectionEndpoint as AuthlibIntrospection

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.lifetimes import REFRESH_TOKEN_S
from redcore_server.auth.oauth.client_authentication import invalid_client
from redcore_server.auth.oauth.greenlets import wait
from redcore_server.auth.oauth.server import FormRequest, OAuthServer
from redcore_server.auth.tokens.access_token import AccessToken
from redcore_server.auth.tokens.grant_store import Grant, fingerprint
from redcore_server.errors import InvalidToken


class RevocationEndpoint(AuthlibRevocation):
    """Revokes one access token, or the whole family of a refresh token."""

    server: OAuthServer

    def authenticate_token(self, request: OAuth2Request, client: Application) -> Grant | AccessToken | None:
        """Return the grant of a refresh token, the access token, or None if the token is unknown or no longer valid.

        Raises:
            InvalidGrantError: It was issued to another client (RFC 7009 section 2.1).
        """
        text = _token(request)
        token = wait(self.server.grants.of(text)) or _access_token(self.server, text)
        if token is None:
            wait(self.server.grants.settle_revoked(text))
            return None
        if token.client_id != client.id:
            raise InvalidGrantError("The token was issued to another client.")
        return token

    def revoke_token(self, token: Grant | AccessToken, request: OAuth2Request) -> None:
        """End the token immediately, on every node."""
        grants = self.server.grants
        if isinstance(token, AccessToken):
            wait(grants.revoke_access(token, int(self.server.clock.time())))
        else:
            wait(grants.revoke(token, _token(request)))


class IntrospectionEndpoint(AuthlibIntrospection):
    """Describes tokens of the client's own organisation; any other token is reported as not active."""

    server: OAuthServer

    def authenticate_token(self, request: OAuth2Request, client: Application) -> dict[str, Any] | None:
        """Return a token that is still valid.

        Raises:
            InvalidClientError: A public client asks; anyone could use its client id (RFC 7662 section 2.1).
        """
        if client.is_public:
            raise invalid_client()
        text = _token(request)
        grant = wait(self.server.grants.of(text))
        if grant is not None:
            return self._of_refresh_token(grant, text, client)
        token = _access_token(self.server, text)
        return None if token is None else self._of_access_token(token, client)

    def create_introspection_payload(self, token: dict[str, Any] | None) -> dict[str, Any]:
        """Return the body of the response (RFC 7662 section 2.2)."""
        return {"active": True, **token} if token else {"active": False}

    def _of_refresh_token(self, grant: Grant, text: str, client: Application) -> dict[str, Any] | None:
        is_living = grant.refresh == fingerprint(text) and self.server.clock.time() < grant.expires_at
        scope = self._scope_left(grant.scope, grant.client_id, grant.owner_id)
        if not is_living or grant.organisation_id != client.organisation_id or scope is None:
            return None
        return {
            "token_type": "refresh_token",
            "client_id": grant.client_id,
            "scope": scope,
            "sub": grant.subject,
            "iss": self.server.tokens.issuer,
            "iat": grant.expires_at - REFRESH_TOKEN_S,
            "exp": grant.expires_at,
        }

    def _of_access_token(self, token: AccessToken, client: Application) -> dict[str, Any] | None:
        owner_id = wait(self.server.grants.owner(token))
        if token.organisation_id != client.organisation_id or owner_id is None:
            return None
        scope = self._scope_left(token.scope, token.client_id, owner_id)
        if scope is None:
            return None
        private = {"org", "gid", "plan"}
        public = {name: value for name, value in self.server.tokens.claims(token).items() if name not in private}
        return {"token_type": "Bearer", **public, "scope": scope}

    def _scope_left(self, scope: str, client_id: str, owner_id: str) -> str | None:
        """Return the currently effective scope, None if the application or user behind it is gone or inactive."""
        granted = wait(self.server.applications.granted(scope.split(), client_id=client_id, owner_id=owner_id))
        return None if granted is None else " ".join(sorted(granted))


def _token(request: OAuth2Request) -> str:
    text = cast("FormRequest", request).form.get("token")
    if text is None:
        raise InvalidRequestError("token is missing.")
    return text


def _access_token(server: OAuthServer, text: str) -> AccessToken | None:
    try:
        return wait(server.reader.read(text))
    except InvalidToken:
        return None
