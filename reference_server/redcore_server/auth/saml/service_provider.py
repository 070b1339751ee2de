"""The platform as a SAML service provider: its URLs, metadata, requests, and the expected responses.

python3-saml writes the XML; it is imported when first needed. Requests are not signed: they contain nothing secret, and
an identity provider answers to the URL in our metadata.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import attrs

from redcore_server.auth.saml import names
from redcore_server.auth.saml.conditions import Expectation
from redcore_server.auth.saml.identity_providers import IdentityProvider


@attrs.frozen
class ServiceProvider:
    """The platform as a SAML service provider.

    Attributes:
        origin: The OAuth origin.
    """

    origin: str

    @property
    def entity_id(self) -> str:
        """Our entity id, which is also the URL of our metadata."""
        return f"{self.origin}/saml/metadata.xml"

    @property
    def acs_url(self) -> str:
        """The assertion consumer service, to which browsers post responses."""
        return f"{self.origin}/saml/acs"

    @property
    def token_url(self) -> str:
        """The token endpoint, to which applications send assertions."""
        return f"{self.origin}/oauth/token"

    def of_browser(self, issuer: str) -> Expectation:
        """Return the requirements for a response posted by a browser (SAML profiles section 4.1.4).

        Args:
            issuer: The identity provider.
        """
        return Expectation(
            issuer=issuer,
            audiences=frozenset({self.entity_id}),
            recipients=frozenset({self.acs_url}),
            answers_request=True,
        )

    def of_application(self, issuer: str, *, is_response: bool) -> Expectation:
        """Return the requirements for an assertion sent by an application (RFC 7522 section 3).

        Args:
            issuer: The identity provider.
            is_response: Whether a whole response was sent, which identity providers address to browsers.
        """
        return Expectation(
            issuer=issuer,
            audiences=frozenset({self.entity_id, self.token_url}),
            recipients=frozenset({self.token_url, self.acs_url} if is_response else {self.token_url}),
            answers_request=False,
        )

    def metadata(self) -> str:
        """Return our metadata as XML; it does not expire, because administrators upload it by hand."""
        from redcore_server.auth.saml.toolkit import service_metadata  # noqa: PLC0415 - slow to import

        security = {"wantAssertionsSigned": True, "metadataValidUntil": "", "metadataCacheDuration": ""}
        return service_metadata({"sp": self._sp(), "security": security})

    def login(self, provider: IdentityProvider) -> tuple[str, str]:
        """Return the id of a new request, and the URL that sends the browser with it to the identity provider.

        Args:
            provider: The identity provider.
        """
        from redcore_server.auth.saml.toolkit import authn_request  # noqa: PLC0415 - slow to import

        idp = {
            "entityId": provider.entity_id,
            # python3-saml inserts it into an attribute without escaping.
            "singleSignOnService": {"url": escape(provider.sso_url, {'"': "&quot;"}), "binding": names.REDIRECT},
        }
        security = {"requestedAuthnContext": False}  # the identity provider decides how people authenticate
        request_id, request = authn_request({"sp": self._sp(), "idp": idp, "security": security})
        separator = "&" if "?" in provider.sso_url else "?"
        return request_id, f"{provider.sso_url}{separator}{urlencode({'SAMLRequest': request})}"

    def _sp(self) -> dict[str, Any]:
        return {
            "entityId": self.entity_id,
            "assertionConsumerService": {"url": self.acs_url, "binding": names.POST},
            "NameIDFormat": names.EMAIL,
        }
