"""The cost of a document whose signature is not verified yet: anyone may send one."""

from __future__ import annotations

import pytest
from tests.server.support.identity_provider import key_pair
from tests.server.support.processor import cpu_within

from redcore_server.auth.saml.document import MAX_BYTES, parse
from redcore_server.auth.saml.refusal import AssertionRefused
from redcore_server.auth.saml.signature import only_assertion, verify

C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
DOCUMENT = f"""\
<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="a" Version="2.0">\
<ds:Signature xmlns:ds="{DSIG}">\
<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{C14N}"/>\
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>\
<ds:Reference URI="#a"><ds:Transforms>%s</ds:Transforms>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAA</ds:DigestValue>\
</ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>%s</saml:Assertion>"""
ENVELOPED = f'<ds:Transform Algorithm="{DSIG}enveloped-signature"/>'
EXCLUSIVE = f'<ds:Transform Algorithm="{C14N}"/>'
PREFIXED = (
    f'<ds:Transform Algorithm="{C14N}"><ec:InclusiveNamespaces xmlns:ec="{C14N}" PrefixList="%s"/></ds:Transform>'
)
CPU_S = 0.15  # honest documents of this size take a tenth


@pytest.mark.parametrize(
    ("transforms", "content", "reason"),
    [
        (EXCLUSIVE * 300, f"<a>{'b' * 30_000}</a>", "300 transforms"),
        (PREFIXED % " ".join(f"n{number}" for number in range(4000)), "<b/>" * 6000, "50 prefixes"),
        (EXCLUSIVE, "<a" + "".join(f" a{number}=''" for number in range(5500)) + "/>", "100 attributes"),
        (EXCLUSIVE, "<b/>" * 14_000, "not the identity provider's"),
        (ENVELOPED + PREFIXED % "#default xs xsi saml ds", "<b/>" * 14_000, "not the identity provider's"),
    ],
    ids=["transforms", "prefixes", "attributes", "elements", "honest"],
)
def test_an_expensive_document_is_refused_before_canonicalisation(transforms: str, content: str, reason: str) -> None:
    """The number of transforms, prefixes and attributes is limited to what identity providers write."""
    document = (DOCUMENT % (transforms, content)).encode()
    assert len(document) <= MAX_BYTES
    _, certificate = key_pair("first")

    with cpu_within(CPU_S), pytest.raises(AssertionRefused, match=reason):  # noqa: PT012 - wherever it is refused
        root = parse(document)
        only_assertion(root)
        verify(root, [certificate])
