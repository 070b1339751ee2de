"""The SAML 2.0 bearer assertion grant (RFC 7522): an application presents the identity provider's assertion."""

# Authlib's type stubs differ from its types at run time.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportUnknownMemberType=false

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final, cast

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import BaseGrant, InvalidGrantError, InvalidRequestError, TokenEndpointMixin
from starlette.concurrency import run_in_threadpool

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.oauth.greenlets import wait
from redcore_server.auth.oauth.scope import narrow
from redcore_server.auth.oauth.server import FormRequest, OAuthServer, TokenResponse
from redcore_server.auth.people.role import role_ceiling
from redcore_server.auth.saml.consumer import AssertionConsumer, Statement, telling_why
from redcore_server.auth.saml.refusal import AssertionRefused

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"
_ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class SamlBearerGrant(BaseGrant, TokenEndpointMixin):
    """RFC 7522 section 2.1, for a bare assertion and for the identity provider's whole response."""

    GRANT_TYPE = GRANT_TYPE
    server: OAuthServer
    request: FormRequest
    consumer: AssertionConsumer
    application: Application

    def validate_token_request(self) -> None:
        """Authenticate the client; for a wrong one the assertion is not read."""
        self.application = self.server.authenticate_client(self.request)
        if "assertion" not in self.request.form:
            raise InvalidRequestError("assertion is missing.")

    def create_token_response(self) -> TokenResponse:
        """Issue the tokens; their subject is the person in the assertion."""
        try:
            with telling_why("application"):
                return self._answer(self._statement())
        except AssertionRefused:
            raise InvalidGrantError("The assertion is not valid.") from None

    def _statement(self) -> Statement:
        xml = _decoded(self.request.form["assertion"])
        statement = wait(run_in_threadpool(self.consumer.examine, xml, "application"))
        if statement.provider.organisation_id != self.application.organisation_id:
            raise AssertionRefused("the client belongs to another organisation")
        return statement

    def _answer(self, statement: Statement) -> TokenResponse:
        person, supported = wait(self.consumer.subject(statement)), self.server.scopes
        ceilings = [self.application.scopes, role_ceiling(person.role, supported)]
        scope = narrow(self.request.form.get("scope"), ceilings, supported)
        wait(self.consumer.use(statement, person))
        issue = self.server.issuer.issue
        response = wait(issue(self.application, subject=person.id, owner_id=person.id, scope=scope))
        if response is None:
            raise AssertionRefused("its subject or the client was removed meanwhile")
        return 200, response, default_json_headers


def accept_with(consumer: AssertionConsumer) -> Callable[[BaseGrant], None]:
    """Return the extension that gives each grant the consumer; Authlib creates the grants itself.

    Args:
        consumer: Validates the assertions.
    """

    def extend(grant: BaseGrant) -> None:
        cast("SamlBearerGrant", grant).consumer = consumer

    return extend


def _decoded(assertion: str) -> bytes:
    """Return the XML of the parameter (RFC 7522 section 2.1: base64url, padded or not)."""
    encoded = assertion.rstrip("=").encode()
    if not _ALPHABET.issuperset(encoded):
        raise AssertionRefused("it is not base64url")
    try:
        return base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
    except binascii.Error:
        raise AssertionRefused("it is not base64url") from None
