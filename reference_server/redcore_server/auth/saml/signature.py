"""Finds the single assertion of a document and verifies its signature.

The returned element is the one the signature covers, so that signature wrapping (XSW) has no effect. python3-saml and
xmlsec do the cryptography, with the registered certificates; those inside the document are never trusted. The content
of the assertion is not judged here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from redcore_server.auth.saml import names
from redcore_server.auth.saml.refusal import AssertionRefused
from redcore_server.auth.saml.toolkit import Element, is_signed_by

_XPATHS: Final[Mapping[tuple[str, ...], str]] = {
    (names.ASSERTION,): "/saml:Assertion/ds:Signature",
    (names.RESPONSE,): "/samlp:Response/ds:Signature",
    (names.RESPONSE, names.ASSERTION): "/samlp:Response/saml:Assertion/ds:Signature",
}
"""Allowed positions of a signature, by its ancestors."""
_MAX_PREFIXES: Final = 50  # identity providers name a handful; to canonicalise takes their product with the elements
_TRANSFORMS: Final = frozenset[str | None]({names.ENVELOPED, names.EXCLUSIVE_C14N})


def only_assertion(root: Element) -> Element:
    """Return the assertion that is the document or a child of its response.

    Args:
        root: Root element of the document.

    Raises:
        AssertionRefused: There is no assertion, more than one, or another element in its place.
    """
    assertions = list(root.iter(names.ASSERTION))
    if len(assertions) != 1:
        raise AssertionRefused(f"it has {len(assertions)} readable assertions instead of one")
    if _path(assertions[0]) not in {(names.ASSERTION,), (names.RESPONSE, names.ASSERTION)}:
        raise AssertionRefused("its assertion is neither the document nor a child of the response")
    return assertions[0]


def verify(root: Element, certificates: Sequence[str]) -> None:
    """Check that the assertion, or the response around it, is signed with one of the certificates.

    Every signature present must be valid.

    Args:
        root: Root element of a document with one assertion in the right place.
        certificates: Certificates of the identity provider, in PEM.

    Raises:
        AssertionRefused: It is not signed, or the signature is not valid.
    """
    _check_ids(root)
    _check_prefixes(root)
    signatures = list(root.iter(names.SIGNATURE))
    if not signatures:
        raise AssertionRefused("it is not signed")
    parents = [_signed(signature) for signature in signatures]
    if len({_path(parent) for parent in parents}) != len(parents):
        raise AssertionRefused("an element has two signatures")
    for signature, parent in zip(signatures, parents, strict=True):
        _check_form(signature, parent)
        if not is_signed_by(root, certificates, _XPATHS[_path(parent)]):
            raise AssertionRefused("its signature is not the identity provider's")


def _check_ids(root: Element) -> None:
    """Reject two elements with the same name: the digest could cover one and the reader use the other."""
    ids = [
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if str(name).rpartition("}")[2].lower() == "id"
    ]
    if len(set(ids)) != len(ids):
        raise AssertionRefused("an ID occurs twice")


def _check_prefixes(root: Element) -> None:
    """Reject a document that is costly to canonicalise, which is done before its signature can be verified."""
    if any(len(list_.get("PrefixList", "").split()) > _MAX_PREFIXES for list_ in root.iter(names.PREFIXES)):
        raise AssertionRefused(f"a transform names more than {_MAX_PREFIXES} prefixes")


def _signed(signature: Element) -> Element:
    parent = signature.getparent()
    if parent is None or _path(parent) not in _XPATHS:
        raise AssertionRefused("a signature stands at an unexpected place")
    return parent


def _check_form(signature: Element, parent: Element) -> None:
    """Allow one form only: RSA-SHA256 over the parent, with exclusive canonicalisation."""
    if signature.find(f"{names.DS}Object") is not None:
        raise AssertionRefused("a signature contains an object")
    info = _one(signature, "SignedInfo")
    reference = _one(info, "Reference")
    if not parent.get("ID") or reference.get("URI") != f"#{parent.get('ID')}":
        raise AssertionRefused("a signature covers another element than the one it stands in")
    transforms = list(_one(reference, "Transforms"))
    if len(transforms) > len(_TRANSFORMS):
        raise AssertionRefused(f"its signature has {len(transforms)} transforms")
    _allow("canonicalisation", [_one(info, "CanonicalizationMethod")], {names.EXCLUSIVE_C14N})
    _allow("signature method", [_one(info, "SignatureMethod")], {names.RSA_SHA256})
    _allow("transform", transforms, _TRANSFORMS)
    _allow("digest method", [_one(reference, "DigestMethod")], {names.SHA256})


def _allow(what: str, methods: Iterable[Element], allowed: Collection[str | None]) -> None:
    for method in methods:
        if method.get("Algorithm") not in allowed:
            raise AssertionRefused(f"its {what} {method.get('Algorithm')} is not allowed")


def _one(parent: Element, name: str) -> Element:
    found = parent.findall(f"{names.DS}{name}")
    if len(found) != 1:
        raise AssertionRefused(f"a signature has {len(found)} {name} elements instead of one")
    return found[0]


def _path(element: Element) -> tuple[str, ...]:
    return (*(str(ancestor.tag) for ancestor in reversed(list(element.iterancestors()))), str(element.tag))
