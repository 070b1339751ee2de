"""Parses untrusted bytes into an XML tree, or rejects them before an XML parser reads them.

Elements, attributes and text are all that SAML needs. A document type is rejected for its entities (XXE, billion
laughs); a comment, because signatures do not cover it but it splits the text of a NameID; CDATA and processing
instructions, because no legitimate sender uses them. Whether the content is true is not judged here.
"""

from __future__ import annotations

import re
from typing import Final

from redcore_server.auth.saml.refusal import AssertionRefused
from redcore_server.auth.saml.toolkit import Element, XMLSyntaxError, parse_xml

MAX_BYTES: Final = 64 * 1024  # identity providers send 5 to 20 KB, with many groups some more
_MAX_ATTRIBUTES: Final = 100  # of an element; parsing and canonicalising take the square of their number

# "<" can only begin markup: in text and attributes it is escaped.
_MARKUP: Final = re.compile(rb"<!DOCTYPE|<!ENTITY|<!--|<!|<\?(?!xml[ \t\r\n])", re.IGNORECASE)
_REASONS: Final = {
    b"<!DOCTYPE": "it has a document type definition",
    b"<!ENTITY": "it declares an entity",
    b"<!--": "it has a comment",
    b"<!": "it has markup other than elements",
    b"<?": "it has a processing instruction",
}


def parse(xml: bytes) -> Element:
    """Return the root element.

    Args:
        xml: The presented XML.

    Raises:
        AssertionRefused: It is too large, not UTF-8, has markup other than elements, has too many attributes, or is
            not well-formed.
    """
    if len(xml) > MAX_BYTES:
        raise AssertionRefused(f"it is larger than {MAX_BYTES} bytes")
    _check_encoding(xml)
    if found := _MARKUP.search(xml):
        raise AssertionRefused(_REASONS[found[0].upper()])
    # Each attribute has a sign of equality, and "<" begins the next tag: it cannot stand in the value of one.
    if max(tag.count(b"=") for tag in xml.split(b"<")) > _MAX_ATTRIBUTES:
        raise AssertionRefused(f"an element has more than {_MAX_ATTRIBUTES} attributes")
    try:
        return parse_xml(xml)
    except XMLSyntaxError as error:
        raise AssertionRefused(f"it is not well-formed XML (line {error.lineno})") from None


def _check_encoding(xml: bytes) -> None:
    try:
        xml.decode()
    except UnicodeDecodeError:
        raise AssertionRefused("it is not UTF-8") from None
    if b"\0" in xml:
        raise AssertionRefused("it is not UTF-8")
