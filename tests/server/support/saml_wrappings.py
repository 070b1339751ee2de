"""Signature wrapping: documents whose signature is valid, but for another element than the one that is read.

The eight variants of Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be" (2012).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy

from lxml import etree
from tests.server.support.identity_provider import SAMLP, XML
from tests.server.support.saml_attacks import DS, VICTIM, Scene, find


def _evil(original: XML) -> XML:
    """Return a copy under another ID that names the victim."""
    evil = deepcopy(original)
    evil.set("ID", "_evil")
    find(evil, ".//saml:NameID").text = VICTIM
    return evil


def _without_signature(original: XML) -> XML:
    copy = deepcopy(original)
    copy.remove(find(copy, "./ds:Signature"))
    return copy


def _signed_response(scene: Scene) -> XML:
    return scene.provider.sign(scene.provider.response(scene.statement().element(), scene.statement()))


def _response(scene: Scene) -> XML:
    return scene.provider.response(scene.provider.assertion(scene.statement()), scene.statement())


def xsw1(scene: Scene) -> XML:
    """An evil response, with the original one inside its signature."""
    original = _signed_response(scene)
    evil = _evil(original)
    find(evil, "./ds:Signature").append(_without_signature(original))
    return evil


def xsw2(scene: Scene) -> XML:
    """An evil response, with the original one in front of its signature."""
    original = _signed_response(scene)
    evil = _evil(original)
    find(evil, "./ds:Signature").addprevious(_without_signature(original))
    return evil


def xsw3(scene: Scene) -> XML:
    """An evil assertion in front of the original one."""
    response = _response(scene)
    original = find(response, "./saml:Assertion")
    original.addprevious(_without_signature(_evil(original)))
    return response


def xsw4(scene: Scene) -> XML:
    """An evil assertion around the original one."""
    response = _response(scene)
    original = find(response, "./saml:Assertion")
    evil = _without_signature(_evil(original))
    response.replace(original, evil)
    evil.append(original)
    return response


def xsw5(scene: Scene) -> XML:
    """An evil assertion with the signature, and the original one behind it."""
    response = _response(scene)
    original = find(response, "./saml:Assertion")
    response.replace(original, _evil(original))
    response.append(_without_signature(original))
    return response


def xsw6(scene: Scene) -> XML:
    """An evil assertion with the signature, and the original one inside that."""
    response = _response(scene)
    original = find(response, "./saml:Assertion")
    evil = _evil(original)
    response.replace(original, evil)
    find(evil, "./ds:Signature").append(_without_signature(original))
    return response


def xsw7(scene: Scene) -> XML:
    """An evil assertion among the extensions, where the schema allows anything."""
    response = _response(scene)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(_without_signature(_evil(find(response, "./saml:Assertion"))))
    response.insert(1, extensions)
    return response


def xsw8(scene: Scene) -> XML:
    """An evil assertion with the signature, and the original one in an object of that."""
    response = _response(scene)
    original = find(response, "./saml:Assertion")
    evil = _evil(original)
    response.replace(original, evil)
    box = etree.SubElement(find(evil, "./ds:Signature"), f"{{{DS}}}Object")
    box.append(_without_signature(original))
    return response


WRAPPINGS: Mapping[str, Callable[[Scene], XML]] = {
    f"XSW{number}": attack for number, attack in enumerate((xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8), start=1)
}
