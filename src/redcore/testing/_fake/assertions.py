"""SAML assertions of the fake: it trusts every one about a person of its organisation, and checks no signature."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import attrs

NAMESPACE = "urn:oasis:names:tc:SAML:2.0:assertion"
LIVES_S = 300  # five minutes, as identity providers usually set it


@attrs.frozen
class Assertion:
    """What an assertion says."""

    id: str
    email: str


def new_assertion(email: str, now: float) -> bytes:
    """An assertion that a person has just signed in."""
    id_, now_ = f"_{secrets.token_hex(16)}", moment(now)
    return (
        f'<saml:Assertion xmlns:saml="{NAMESPACE}" ID="{id_}" Version="2.0" IssueInstant="{now_}">'
        f"<saml:Issuer>https://idp.example.com</saml:Issuer>"
        f"<saml:Subject><saml:NameID>{email}</saml:NameID></saml:Subject>"
        f'<saml:Conditions NotBefore="{now_}" NotOnOrAfter="{moment(now + LIVES_S)}"/>'
        f"</saml:Assertion>"
    ).encode()


def read_assertion(xml: bytes, now: float) -> Assertion:
    """What an assertion, or the response around it, says.

    Raises:
        ValueError: it is not one, or not one of this moment.
    """
    import xml.etree.ElementTree as ET  # noqa: PLC0415 (few tests need it)

    try:
        root = ET.fromstring(xml)  # noqa: S314 (a test wrote it)
    except ET.ParseError as error:
        raise ValueError(str(error)) from None
    found = root if root.tag == f"{{{NAMESPACE}}}Assertion" else root.find(f".//{{{NAMESPACE}}}Assertion")
    name = None if found is None else found.find(f".//{{{NAMESPACE}}}NameID")
    if found is None or name is None or not name.text:
        raise ValueError("no assertion about a person")
    for conditions in found.iter(f"{{{NAMESPACE}}}Conditions"):
        begins, ends = conditions.get("NotBefore"), conditions.get("NotOnOrAfter")
        if (begins and seconds(begins) > now + LIVES_S) or (ends and seconds(ends) <= now):
            raise ValueError("not valid at this moment")
    return Assertion(found.get("ID", ""), name.text)


def moment(at: float) -> str:
    """A moment as SAML writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """Unix seconds of such a moment."""
    return datetime.fromisoformat(text).timestamp()
