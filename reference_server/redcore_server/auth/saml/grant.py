"""The SAML 2.0 bearer assertion grant (RFC 7522): an application brings what the identity provider said of a person."""

# The stubs of Authlib give its answers types that they do not have at run time.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportUnknownMemberType=false

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import BaseGrant, InvalidGrantError, InvalidRequestError, TokenEndpointMixin

from redcore_server.auth.clients import Application
from redcore_server.auth.person import Person
from redcore_server.auth.saml.consumer import AssertionConsumer, telling_why
from redcore_server.auth.saml.refusal import AssertionRefused
from redcore_server.auth.scope import narrow
from redcore_server.auth.server import FormRequest, OAuthServer

_Answer = tuple[int, dict[str, Any], list[tuple[str, str]]]

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"
_ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class SamlBearerGrant(BaseGrant, TokenEndpointMixin):
    """RFC 7522 section 2.1, for a bare assertion and for the identity provider's whole response."""

    GRANT_TYPE = GRANT_TYPE
    server: OAuthServer
    request: FormRequest
    consumer: AssertionConsumer
    application: Application
    scope: str

    def validate_token_request(self) -> None:
        """Authenticate the client and narrow the scope; the assertion is not looked at for a wrong client."""
        self.application = self.server.authenticate_client(self.request)
        if "assertion" not in self.request.form:
            raise InvalidRequestError("assertion is missing.")
        self.scope = narrow(self.request.form.get("scope"), [self.application.scopes], self.server.scopes)

    def create_token_response(self) -> _Answer:
        """Issue the tokens; the person of whom the assertion speaks is their subject."""
        try:
            with telling_why("application"):
                person = self._person()
        except AssertionRefused:
            raise _refused() from None
        issuer = self.server.issuer
        response = issuer.issue(self.application, subject=person.id, owner_id=person.id, scope=self.scope)
        if response is None:
            raise _refused()
        return 200, response, default_json_headers

    def _person(self) -> Person:
        statement = self.consumer.examine(_decoded(self.request.form["assertion"]), "application")
        if statement.provider.organisation_id != self.application.organisation_id:
            raise AssertionRefused("the client belongs to another organisation")
        return self.consumer.admit(statement)


def bearer_grant(consumer: AssertionConsumer) -> type[SamlBearerGrant]:
    """Return the grant bound to a consumer, as Authlib makes an instance of it for each request.

    Args:
        consumer: accepts the assertions.
    """
    return type("BoundSamlBearerGrant", (SamlBearerGrant,), {"consumer": consumer})


def _decoded(assertion: str) -> bytes:
    """Return the XML of the parameter (RFC 7522 section 2.1: base64url, padded or not)."""
    encoded = assertion.rstrip("=").encode()
    if not _ALPHABET.issuperset(encoded):
        raise AssertionRefused("it is not base64url")
    try:
        return base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
    except binascii.Error:
        raise AssertionRefused("it is not base64url") from None


def _refused() -> InvalidGrantError:
    return InvalidGrantError("The assertion is not valid.")
