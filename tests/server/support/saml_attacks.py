"""Attacks on a SAML service provider: each makes a document that must be refused, and names the reason for the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import attrs
import xmlsec
from lxml import etree
from tests.server.support.identity_provider import (
    SAML,
    SAMLP,
    XML,
    IdentityProvider,
    Statement,
    identity_provider,
    serialized,
)

DS = "http://www.w3.org/2000/09/xmldsig#"
NAMESPACES = {"saml": SAML, "samlp": SAMLP, "ds": DS}
VICTIM = "victim@example.com"


@attrs.frozen(kw_only=True)
class Scene:
    """A valid document for one of our endpoints, to be altered."""

    provider: IdentityProvider
    audience: str
    recipient: str
    now: datetime
    name_id: str = "ada@example.com"
    in_response_to: str | None = None
    is_response: bool = True

    def statement(self, **changes: Any) -> Statement:
        """Return the content of a valid assertion, with some changes."""
        honest = Statement(
            name_id=self.name_id,
            audience=self.audience,
            recipient=self.recipient,
            now=self.now,
            issuer=self.provider.entity_id,
            in_response_to=self.in_response_to,
        )
        return attrs.evolve(honest, **changes)

    def document(self, assertion: XML, **envelope: Any) -> bytes:
        """Return an assertion, in a response where this endpoint accepts one."""
        if not self.is_response:
            return serialized(assertion)
        return serialized(self.provider.response(assertion, self.statement(), **envelope))

    def honest(self, **changes: Any) -> bytes:
        """Return a signed document."""
        return self.document(self.provider.assertion(self.statement(**changes)))


Attack = Callable[[Scene], bytes]


def _says(**changes: Any) -> Attack:
    return lambda scene: scene.honest(**changes)


def _edited(edit: Callable[[XML], object]) -> Attack:
    """Return an attack on an assertion that is edited before it is signed."""

    def attack(scene: Scene) -> bytes:
        element = scene.statement().element()
        edit(element)
        return scene.document(scene.provider.sign(element))

    return attack


def _resealed(edit: Callable[[XML], object]) -> Attack:
    """Return an attack on an assertion that is edited after it was signed."""

    def attack(scene: Scene) -> bytes:
        element = scene.provider.assertion(scene.statement())
        edit(element)
        return scene.document(element)

    return attack


def _without(path: str) -> Callable[[XML], object]:
    def edit(element: XML) -> None:
        child = find(element, path)
        element.remove(child)

    return edit


def _twice(path: str) -> Callable[[XML], object]:
    def edit(element: XML) -> None:
        child = find(element, path)
        child.addnext(deepcopy(child))

    return edit


def _moved(path: str, to: str) -> Callable[[XML], object]:
    return lambda element: find(element, to).append(find(element, path))


def _text(old: bytes, new: bytes) -> Attack:
    def attack(scene: Scene) -> bytes:
        honest = scene.honest()
        assert old in honest
        return honest.replace(old, new, 1)

    return attack


def _in_front(prefix: bytes) -> Attack:
    return lambda scene: prefix + scene.honest()


def _other_key(scene: Scene) -> bytes:
    impostor = identity_provider(scene.provider.entity_id, "second")
    return scene.document(impostor.assertion(scene.statement()))


def _unsigned(scene: Scene) -> bytes:
    return scene.document(scene.statement().element())


def _signed_with(method: str, digest: str) -> Attack:
    return lambda scene: scene.document(scene.provider.sign(scene.statement().element(), method=method, digest=digest))


def _hmac(scene: Scene) -> bytes:
    """Sign with the provider's public certificate as a shared secret."""
    element = scene.provider.sign(scene.statement().element())
    method = find(element, ".//ds:SignatureMethod")
    method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_binary_data(xmlsec.KeyData.HMAC, scene.provider.certificate.encode())
    xmlsec.tree.add_ids(element, ["ID"])
    context.sign(find(element, "./ds:Signature"))
    return scene.document(element)


def _comment(scene: Scene) -> bytes:
    """Split the NameID of an account under the attacker's own domain (CVE-2017-11427 and its kind)."""
    return scene.honest(name_id=f"{scene.name_id}.evil.example").replace(
        b".evil.example</saml:NameID>", b"<!-- -->.evil.example</saml:NameID>"
    )


def _element_in_name_id(scene: Scene) -> bytes:
    return scene.honest(name_id=f"{scene.name_id}<saml:x/>.evil.example")


def _entity(declaration: bytes) -> Attack:
    def attack(scene: Scene) -> bytes:
        honest = scene.honest()
        return b"<!DOCTYPE x [" + declaration + b"]>" + honest.replace(scene.name_id.encode(), b"&e;", 1)

    return attack


_LAUGHS = b'<!ENTITY a0 "ha">' + b"".join(
    b'<!ENTITY a%d "%s">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 10)
)

SAYINGS: Mapping[str, tuple[Attack, str]] = {
    "wrong audience": (_says(audience="https://other.example/sp"), "its audience https://other.example/sp is not"),
    "no audience": (_says(audience=None), "it names no audience"),
    "two audience restrictions": (
        _says(
            conditions="<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience>"
            "</saml:AudienceRestriction>"
        ),
        "its audience https://other.example is not",
    ),
    "unknown condition": (_says(conditions="<saml:Condition/>"), "it has an unknown condition"),
    "wrong recipient": (_says(recipient="https://other.example/acs"), "its recipient https://other.example/acs is not"),
    "recipient that begins like ours": (
        lambda scene: scene.honest(recipient=f"{scene.recipient}.evil.example"),
        "is not this address",
    ),
    "no recipient": (_says(recipient=None), "its recipient None is not this address"),
    "wrong issuer": (
        _says(issuer="https://other.example/idp"),
        "its issuer https://other.example/idp is not on record",
    ),
    "expired": (_says(lifetime=timedelta(minutes=-2)), "it has expired at "),
    "confirmation expired": (_says(confirmed_for=timedelta(minutes=-2)), "it has expired at "),
    "confirmation without end": (_says(confirmed_for=None), "its confirmation never expires"),
    "confirmation without measure": (_says(confirmed_for=timedelta(days=9)), "its confirmation lives until "),
    "session over": (_says(session=timedelta(minutes=-2)), "it has expired at "),
    "not yet valid": (_says(not_before=timedelta(minutes=2)), "it is not valid before "),
    "not confirmed by bearing it": (
        _says(method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
        "it has no bearer confirmation",
    ),
    "NameID of another kind": (
        _says(format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
        "its NameID is not an e-mail address but urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    ),
    "stranger": (_says(name_id="stranger@example.com"), "its subject is not an active or invited user"),
    "empty NameID": (_says(name_id=" "), "its NameID is not plain text"),
    "element in NameID": (_element_in_name_id, "its NameID is not plain text"),
    "time that is none": (
        _edited(lambda element: find(element, "./saml:Conditions").set("NotBefore", "yesterday")),
        "its NotBefore is not a time in UTC",
    ),
    "time without zone": (
        _edited(lambda element: find(element, "./saml:Conditions").set("NotOnOrAfter", "2030-01-01T00:00:00")),
        "its NotOnOrAfter is not a time in UTC",
    ),
    "SAML 1.1": (_edited(lambda element: element.set("Version", "1.1")), "it is not SAML 2.0, or has no ID"),
    "no subject": (_edited(_without("./saml:Subject")), "it has no Subject"),
    "no conditions": (_edited(_without("./saml:Conditions")), "it has no Conditions"),
    "two subjects": (_edited(_twice("./saml:Subject")), "it has 2 Subject elements"),
}
"""Assertions that are signed by the right provider, with wrong content."""

FORMS: Mapping[str, tuple[Attack, str]] = {
    "wrong key": (_other_key, "its signature is not the identity provider's"),
    "changed after signing": (
        _text(b"ada@example.com", VICTIM.encode()),
        "its signature is not the identity provider's",
    ),
    "unsigned": (_unsigned, "it is not signed"),
    "RSA-SHA1": (
        _signed_with(xmlsec.Transform.RSA_SHA1, xmlsec.Transform.SHA256),
        "its signature method http://www.w3.org/2000/09/xmldsig#rsa-sha1 is not allowed",
    ),
    "SHA-1 digest": (
        _signed_with(xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA1),
        "its digest method http://www.w3.org/2000/09/xmldsig#sha1 is not allowed",
    ),
    "HMAC with the public certificate": (_hmac, "its signature method "),
    "signature over the whole document": (
        _resealed(lambda element: find(element, ".//ds:Reference").set("URI", "")),
        "covers another element",
    ),
    "transform that strips": (
        _resealed(
            lambda element: find(element, ".//ds:Transform").set(
                "Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116"
            )
        ),
        "its transform http://www.w3.org/TR/1999/REC-xpath-19991116 is not allowed",
    ),
    "two signatures": (_resealed(_twice("./ds:Signature")), "an element has two signatures"),
    "ID twice": (
        _resealed(lambda element: find(element, "./saml:AuthnStatement").set("ID", element.get("ID", ""))),
        "an ID occurs twice",
    ),
    "two references": (_resealed(_twice(".//ds:Reference")), "a signature has 2 Reference elements instead of one"),
    "signature elsewhere": (
        _resealed(_moved("./ds:Signature", "./saml:AuthnStatement")),
        "a signature stands at an unexpected place",
    ),
    "object in the signature": (
        _resealed(lambda element: etree.SubElement(find(element, "./ds:Signature"), f"{{{DS}}}Object")),
        "a signature contains an object",
    ),
    "assertion elsewhere": (
        lambda scene: b"<x>" + scene.honest() + b"</x>",
        "its assertion is neither the document nor a child of the response",
    ),
    "comment in NameID": (_comment, "it has a comment"),
    "CDATA in NameID": (_text(b"ada@", b"<![CDATA[ada@]]>"), "it has markup other than elements"),
    "processing instruction": (_text(b"ada@", b"<?x y?>ada@"), "it has a processing instruction"),
    "document type": (_in_front(b"<!DOCTYPE x>"), "it has a document type definition"),
    "XXE": (_entity(b'<!ENTITY e SYSTEM "file:///etc/passwd">'), "it has a document type definition"),
    "XXE over the net": (
        _entity(b'<!ENTITY % e SYSTEM "http://127.0.0.1:9/x"> %e;'),
        "it has a document type definition",
    ),
    "billion laughs": (_entity(_LAUGHS), "it has a document type definition"),
    "hidden by UTF-16": (lambda scene: scene.honest().decode().encode("utf-16"), "it is not UTF-8"),
    "hidden by UTF-16 without mark": (lambda scene: scene.honest().decode().encode("utf-16-be"), "it is not UTF-8"),
    "hidden by UTF-7": (
        lambda scene: b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-' + scene.honest(),
        "it is not well-formed XML",
    ),
    "no XML": (lambda _: b"Hello", "it is not well-formed XML"),
    "endless words": (_says(issuer="x" * 9000), f"its issuer {'x' * 289}…"),
    "nothing": (lambda _: b"<x/>", "it has 0 readable assertions"),
}
"""Documents that prove nothing, or hide what they are."""


def find(element: XML, path: str) -> XML:
    """Return the first element of an XPath."""
    found = element.xpath(path, namespaces=NAMESPACES)
    assert isinstance(found, list)
    assert isinstance(found[0], etree._Element)
    return found[0]
