"""A small SAML identity provider: makes the assertion that a test wants and signs it with xmlsec."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from xml.sax.saxutils import escape

import attrs
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from redcore_server.ids import random_text

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
XML = etree._Element

_ASSERTION = """\
<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" IssueInstant="{now}">
  <saml:Issuer>{issuer}</saml:Issuer>
  <saml:Subject>
    <saml:NameID Format="{format}">{name_id}</saml:NameID>
    <saml:SubjectConfirmation Method="{method}"><saml:SubjectConfirmationData{data}/></saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions{window}>{conditions}</saml:Conditions>
  <saml:AuthnStatement AuthnInstant="{now}"{session}>
    <saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password\
</saml:AuthnContextClassRef></saml:AuthnContext>
  </saml:AuthnStatement>
</saml:Assertion>"""

_RESPONSE = """\
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
    ID="{id}" Version="2.0" IssueInstant="{now}"{attributes}>
  <saml:Issuer>{issuer}</saml:Issuer>
  <samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>
</samlp:Response>"""

_METADATA = """\
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    entityID="{entity_id}">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    {keys}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso_url}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>"""

_KEY = """<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}\
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"""


@attrs.frozen(kw_only=True)
class Statement:
    """The content of an assertion; None leaves a part out."""

    name_id: str
    audience: str | None
    recipient: str | None
    now: datetime
    issuer: str
    format: str = EMAIL
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    not_before: timedelta | None = timedelta(minutes=-1)
    lifetime: timedelta | None = timedelta(minutes=5)
    confirmed_for: timedelta | None = timedelta(minutes=5)
    session: timedelta | None = None
    in_response_to: str | None = None
    conditions: str = ""
    id: str = attrs.field(factory=lambda: f"_{random_text(22)}")

    def element(self) -> XML:
        """Return the assertion, unsigned."""
        data = {"Recipient": self.recipient, "InResponseTo": self.in_response_to}
        data |= {"NotOnOrAfter": self._after(self.confirmed_for)}
        window = {"NotBefore": self._after(self.not_before), "NotOnOrAfter": self._after(self.lifetime)}
        restriction = "<saml:AudienceRestriction><saml:Audience>{}</saml:Audience></saml:AudienceRestriction>"
        conditions = restriction.format(escape(self.audience)) if self.audience is not None else ""
        return etree.fromstring(
            _ASSERTION.format(
                id=self.id,
                now=instant(self.now),
                issuer=escape(self.issuer),
                format=self.format,
                name_id=self.name_id,
                method=self.method,
                data=_attributes(data),
                window=_attributes(window),
                conditions=conditions + self.conditions,
                session=_attributes({"SessionNotOnOrAfter": self._after(self.session)}),
            )
        )

    def _after(self, span: timedelta | None) -> str | None:
        return None if span is None else instant(self.now + span)


@attrs.frozen
class IdentityProvider:
    """Has a name, and a key to sign with."""

    entity_id: str
    key: str = attrs.field(repr=False)
    certificate: str
    sso_url: str = "https://idp.example.com/sso?tenant=1&lang=en"

    def metadata(self, *certificates: str) -> str:
        """Return its metadata, with its own certificate if no others are given."""
        keys = "".join(_KEY.format(_bare(certificate)) for certificate in certificates or (self.certificate,))
        return _METADATA.format(entity_id=escape(self.entity_id), sso_url=escape(self.sso_url), keys=keys)

    def sign(self, element: XML, *, method: str = xmlsec.Transform.RSA_SHA256, digest: str | None = None) -> XML:
        """Put an enveloped signature after the issuer of an element and return the element."""
        signature = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, method)
        element.insert(1, signature)
        reference = xmlsec.template.add_reference(
            signature, digest or xmlsec.Transform.SHA256, uri=f"#{element.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(self.key, xmlsec.KeyFormat.PEM)
        context.key.load_cert_from_memory(self.certificate, xmlsec.KeyFormat.PEM)
        xmlsec.tree.add_ids(element, ["ID"])
        context.sign(signature)
        return element

    def assertion(self, statement: Statement) -> XML:
        """Return a signed assertion."""
        return self.sign(statement.element())

    def response(
        self,
        assertion: XML,
        statement: Statement,
        *,
        destination: str | None = None,
        status: str = "urn:oasis:names:tc:SAML:2.0:status:Success",
        issuer: str | None = None,
    ) -> XML:
        """Return a response, itself unsigned, around an assertion."""
        attributes = {"Destination": destination, "InResponseTo": statement.in_response_to}
        text = _RESPONSE.format(
            id=f"_{random_text(22)}",
            now=instant(statement.now),
            attributes=_attributes(attributes),
            issuer=escape(issuer or self.entity_id),
            status=status,
        )
        response = etree.fromstring(text)
        response.append(assertion)
        return response


@cache
def key_pair(name: str) -> tuple[str, str]:
    """Return a private key and its certificate in PEM, the same for the same name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def identity_provider(entity_id: str, key: str = "first") -> IdentityProvider:
    """Return a provider; providers with one key name share the key."""
    return IdentityProvider(entity_id, *key_pair(key))


def instant(moment: datetime) -> str:
    """Return a time as SAML writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def serialized(element: XML) -> bytes:
    """Return the bytes of a document."""
    return etree.tostring(element)


def base64url(xml: bytes) -> str:
    """Return the form of RFC 7522 section 2.1."""
    return base64.urlsafe_b64encode(xml).decode().rstrip("=")


def _attributes(values: Mapping[str, str | None]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in values.items() if value is not None)


def _bare(certificate: str) -> str:
    return "".join(line for line in certificate.splitlines() if "-----" not in line)
