"""Typed wrappers for the parts of python3-saml and lxml that we use.

Importing it takes a tenth of a second, so it is imported only when SAML is used, never at startup.
"""

# python3-saml has no types, and lxml's element has a private name.
# pyright: reportMissingTypeStubs=false, reportPrivateUsage=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from lxml import etree
from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

Element: TypeAlias = etree._Element  # noqa: SLF001 - it has no public name
XMLSyntaxError: Final = etree.XMLSyntaxError


def parse_xml(xml: bytes) -> Element:
    """Return the root element of a document in UTF-8.

    Args:
        xml: The XML; its declared encoding is ignored, because UTF-7 or EBCDIC could hide markup from earlier checks.

    Raises:
        XMLSyntaxError: It is not well-formed.
    """
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False
    )
    return etree.fromstring(xml, parser)


def is_signed_by(root: Element, certificates: Sequence[str], xpath: str) -> bool:
    """Return whether a signature is valid.

    Args:
        root: Root element of the document.
        certificates: Certificates in PEM; one of them must have signed.
        xpath: XPath of the signature.
    """
    return bool(OneLogin_Saml2_Utils.validate_sign(root, multicerts=list(certificates), xpath=xpath))


def service_metadata(settings: Mapping[str, Any]) -> str:
    """Return the metadata of a service provider in XML.

    Args:
        settings: Settings of python3-saml.
    """
    metadata = OneLogin_Saml2_Settings(dict(settings), sp_validation_only=True).get_sp_metadata()
    return metadata.decode() if isinstance(metadata, bytes) else str(metadata)


def authn_request(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Return the id of a new request, and the request encoded for HTTP-Redirect.

    Args:
        settings: Settings of python3-saml.
    """
    request = OneLogin_Saml2_Authn_Request(OneLogin_Saml2_Settings(dict(settings)))
    return str(request.get_id()), str(request.get_request())


def provider_settings(metadata: bytes) -> dict[str, Any]:
    """Return the parsed metadata of an identity provider; empty if they describe none.

    Args:
        metadata: Metadata in XML.

    Raises:
        XMLSyntaxError: They are not well-formed.
        ValueError: They have a document type.
    """
    root = OneLogin_Saml2_XML.to_etree(metadata)
    for key in OneLogin_Saml2_XML.query(root, "//md:KeyDescriptor[@use='encryption']"):
        # Without another key, python3-saml would use it as the signing key.
        key.getparent().remove(key)
    return dict(OneLogin_Saml2_IdPMetadataParser.parse(root).get("idp", {}))
