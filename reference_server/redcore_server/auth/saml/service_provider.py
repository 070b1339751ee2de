"""What we are to an identity provider: our addresses, our metadata, our requests, and what we expect of its answers.

python3-saml writes the XML; it is imported when first needed. Requests are not signed: they say nothing secret, and
an identity provider answers to the address in our metadata.
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
        """Our name, which is also where our metadata is."""
        return f"{self.origin}/saml/metadata.xml"

    @property
    def acs_url(self) -> str:
        """The assertion consumer service, where browsers bring responses."""
        return f"{self.origin}/saml/acs"

    @property
    def token_url(self) -> str:
        """Where applications bring assertions."""
        return f"{self.origin}/oauth/token"

    def of_browser(self, issuer: str) -> Expectation:
        """Return what a response must say that a browser brings (SAML profiles section 4.1.4).

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
        """Return what an assertion must say that an application brings (RFC 7522 section 3).

        Args:
            issuer: The identity provider.
            is_response: Whether a whole response was brought, which identity providers address to browsers.
        """
        return Expectation(
            issuer=issuer,
            audiences=frozenset({self.entity_id, self.token_url}),
            recipients=frozenset({self.token_url, self.acs_url} if is_response else {self.token_url}),
            answers_request=False,
        )

    def metadata(self) -> str:
        """Return our metadata as XML; it does not expire, as administrators upload it by hand."""
        from redcore_server.auth.saml.toolkit import service_metadata  # noqa: PLC0415 - slow to import

        security = {"wantAssertionsSigned": True, "metadataValidUntil": "", "metadataCacheDuration": ""}
        return service_metadata({"sp": self._sp(), "security": security})

    def login(self, provider: IdentityProvider) -> tuple[str, str]:
        """Return the id of a new request, and the address that takes a browser with it to the identity provider.

        Args:
            provider: Where to sign in.
        """
        from redcore_server.auth.saml.toolkit import authn_request  # noqa: PLC0415 - slow to import

        idp = {
            "entityId": provider.entity_id,
            # python3-saml pastes it into an attribute as it is.
            "singleSignOnService": {"url": escape(provider.sso_url, {'"': "&quot;"}), "binding": names.REDIRECT},
        }
        security = {"requestedAuthnContext": False}  # how people prove who they are is the identity provider's business
        request_id, request = authn_request({"sp": self._sp(), "idp": idp, "security": security})
        separator = "&" if "?" in provider.sso_url else "?"
        return request_id, f"{provider.sso_url}{separator}{urlencode({'SAMLRequest': request})}"

    def _sp(self) -> dict[str, Any]:
        return {
            "entityId": self.entity_id,
            "assertionConsumerService": {"url": self.acs_url, "binding": names.POST},
            "NameIDFormat": names.EMAIL,
        }
