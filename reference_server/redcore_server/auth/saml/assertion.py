"""Reads an assertion and the response around it into plain values.

Only named children of the verified element are read; the same names elsewhere are ignored. `conditions` decides whether
the values are acceptable.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import attrs

from redcore_server.auth.saml.names import BEARER, RESPONSE, SAML, SAMLP
from redcore_server.auth.saml.refusal import AssertionRefused

if TYPE_CHECKING:
    from redcore_server.auth.saml.toolkit import Element

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
_CONDITIONS: Final = frozenset({"AudienceRestriction", "OneTimeUse", "ProxyRestriction"})


@attrs.frozen(kw_only=True)
class Envelope:
    """Data of the response outside the assertion; may be unsigned."""

    issuer: str | None
    destination: str | None
    in_response_to: str | None
    status: str | None


@attrs.frozen(kw_only=True)
class Window:
    """A time range; None is an open end."""

    not_before: datetime | None
    not_on_or_after: datetime | None


@attrs.frozen(kw_only=True)
class Confirmation:
    """One subject confirmation."""

    recipient: str | None
    in_response_to: str | None
    window: Window


@attrs.frozen(kw_only=True)
class Assertion:
    """The statement of an identity provider about a person."""

    id: str
    issuer: str
    name_id: str = attrs.field(repr=False)
    name_id_format: str | None
    confirmations: tuple[Confirmation, ...]
    window: Window
    audiences: tuple[frozenset[str], ...]
    """One set per restriction; all must be met."""
    sessions: tuple[Window, ...]
    """One per authentication statement."""


def read_envelope(root: Element) -> Envelope | None:
    """Return the data of the response, or None if the document is a bare assertion.

    Args:
        root: Root element of the document.

    Raises:
        AssertionRefused: It is malformed.
    """
    if root.tag != RESPONSE:
        return None
    _check_version(root)
    status = _at_most_one(root, f"{SAMLP}Status")
    code = None if status is None else status.find(f"{SAMLP}StatusCode")
    return Envelope(
        issuer=_optional_text(root, "Issuer"),
        destination=root.get("Destination"),
        in_response_to=root.get("InResponseTo"),
        status=None if code is None else code.get("Value"),
    )


def read_issuer(assertion: Element) -> str:
    """Return the claimed issuer of an assertion; not trustworthy before the signature is verified.

    Args:
        assertion: The element.

    Raises:
        AssertionRefused: It has no issuer.
    """
    return _text(_one(assertion, "Issuer"))


def read_assertion(element: Element) -> Assertion:
    """Return the content of an assertion.

    Args:
        element: The verified element.

    Raises:
        AssertionRefused: It is malformed.
    """
    _check_version(element)
    subject, conditions = _one(element, "Subject"), _one(element, "Conditions")
    name_id = _one(subject, "NameID")
    return Assertion(
        id=element.get("ID", ""),
        issuer=read_issuer(element),
        name_id=_text(name_id),
        name_id_format=name_id.get("Format"),
        confirmations=tuple(_confirmations(subject)),
        window=_window(conditions),
        audiences=tuple(_audiences(conditions)),
        sessions=tuple(
            Window(not_before=None, not_on_or_after=_instant(statement, "SessionNotOnOrAfter"))
            for statement in element.findall(f"{SAML}AuthnStatement")
        ),
    )


def _confirmations(subject: Element) -> list[Confirmation]:
    return [
        Confirmation(recipient=data.get("Recipient"), in_response_to=data.get("InResponseTo"), window=_window(data))
        for confirmation in subject.findall(f"{SAML}SubjectConfirmation")
        if confirmation.get("Method") == BEARER
        for data in confirmation.findall(f"{SAML}SubjectConfirmationData")
    ]


def _audiences(conditions: Element) -> list[frozenset[str]]:
    for condition in conditions:
        # SAML core section 2.5.1.1: a condition that is not understood makes the assertion invalid.
        if str(condition.tag) not in {f"{SAML}{name}" for name in _CONDITIONS}:
            raise AssertionRefused("it has an unknown condition")
    return [
        frozenset(_text(audience) for audience in restriction.findall(f"{SAML}Audience"))
        for restriction in conditions.findall(f"{SAML}AudienceRestriction")
    ]


def _check_version(element: Element) -> None:
    if element.get("Version") != "2.0" or not element.get("ID"):
        raise AssertionRefused("it is not SAML 2.0, or has no ID")


def _window(element: Element) -> Window:
    return Window(not_before=_instant(element, "NotBefore"), not_on_or_after=_instant(element, "NotOnOrAfter"))


def _instant(element: Element, name: str) -> datetime | None:
    """Return a time, which SAML writes in UTC (core section 1.3.3)."""
    text = element.get(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text if _INSTANT.fullmatch(text) else "").astimezone(UTC)
    except ValueError:
        raise AssertionRefused(f"its {name} is not a time in UTC") from None


def _text(element: Element) -> str:
    text = (element.text or "").strip()
    if len(element) or not text:
        raise AssertionRefused(f"its {str(element.tag).rpartition('}')[2]} is not plain text")
    return text


def _optional_text(parent: Element, name: str) -> str | None:
    element = _at_most_one(parent, f"{SAML}{name}")
    return None if element is None else _text(element)


def _one(parent: Element, name: str) -> Element:
    element = _at_most_one(parent, f"{SAML}{name}")
    if element is None:
        raise AssertionRefused(f"it has no {name}")
    return element


def _at_most_one(parent: Element, tag: str) -> Element | None:
    found = parent.findall(tag)
    if len(found) > 1:
        raise AssertionRefused(f"it has {len(found)} {tag.rpartition('}')[2]} elements")
    return found[0] if found else None
