"""Decides whether an assertion is intended for us, at this time and URL.

The rules are those of SAML profiles section 4.1.4.3 and RFC 7522 section 3. Pure: time and expectations are given.
python3-saml's own checks are not used: they read the wall clock, accept an absent audience or recipient, and compare
URLs by prefix. The signature is verified before; replay is checked in Redis afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import attrs

from redcore_server.auth.saml.assertion import Assertion, Confirmation, Envelope, Window
from redcore_server.auth.saml.names import EMAIL, SUCCESS, UNSPECIFIED
from redcore_server.auth.saml.refusal import AssertionRefused

LEEWAY_S: Final = 60
"""Allowed clock difference of an identity provider."""
MAX_LIFETIME_S: Final = 24 * 3600
"""A longer-lived assertion would have to be stored too long for replay detection."""

_LEEWAY: Final = timedelta(seconds=LEEWAY_S)
_MAX_LIFETIME: Final = timedelta(seconds=MAX_LIFETIME_S)
_FORMATS: Final = frozenset({None, EMAIL, UNSPECIFIED})
_UNASKED: Final = "it answers a request, and this address makes none"


@attrs.frozen(kw_only=True)
class Expectation:
    """The requirements for an assertion at one of our URLs."""

    issuer: str
    audiences: frozenset[str]
    recipients: frozenset[str]
    answers_request: bool
    """Whether it must answer one of our requests, or must not claim to."""


def check(assertion: Assertion, envelope: Envelope | None, expected: Expectation, now: datetime) -> Confirmation:
    """Return the valid confirmation.

    Args:
        assertion: Assertion with a verified signature.
        envelope: Data of the response around it, if there is one.
        expected: Requirements of the URL it was sent to.
        now: Current time of the server's clock.

    Raises:
        AssertionRefused: A check fails.
    """
    if envelope is not None:
        _check_envelope(envelope, expected)
    if assertion.name_id_format not in _FORMATS:
        raise AssertionRefused(f"its NameID is not an e-mail address but {assertion.name_id_format}")
    _check_audience(assertion, expected)
    _check_window(assertion.window, now)
    for session in assertion.sessions:
        _check_window(session, now)
    return _confirmation(assertion, expected, now)


def _check_envelope(envelope: Envelope, expected: Expectation) -> None:
    if envelope.status != SUCCESS:
        raise AssertionRefused(f"the identity provider reports {envelope.status}")
    if envelope.issuer not in {None, expected.issuer}:
        raise AssertionRefused("the response's issuer is not the identity provider")
    if envelope.destination is not None and envelope.destination not in expected.recipients:
        raise AssertionRefused(f"its destination {envelope.destination} is not ours")
    if envelope.in_response_to is not None and not expected.answers_request:
        raise AssertionRefused(_UNASKED)


def _check_audience(assertion: Assertion, expected: Expectation) -> None:
    if not assertion.audiences:
        raise AssertionRefused("it names no audience")
    for restriction in assertion.audiences:
        if not restriction & expected.audiences:
            raise AssertionRefused(f"its audience {', '.join(sorted(restriction))} is not ours")


def _check_window(window: Window, now: datetime) -> None:
    if window.not_before is not None and now + _LEEWAY < window.not_before:
        raise AssertionRefused(f"it is not valid before {window.not_before.isoformat()}")
    if window.not_on_or_after is not None and now - _LEEWAY >= window.not_on_or_after:
        raise AssertionRefused(f"it has expired at {window.not_on_or_after.isoformat()}")


def _confirmation(assertion: Assertion, expected: Expectation, now: datetime) -> Confirmation:
    """Return the first valid bearer confirmation; one is enough (SAML core section 2.4.1)."""
    refusal = AssertionRefused("it has no bearer confirmation")
    for confirmation in assertion.confirmations:
        try:
            _check_confirmation(confirmation, expected, now)
        except AssertionRefused as error:
            refusal = error
        else:
            return confirmation
    raise refusal


def _check_confirmation(confirmation: Confirmation, expected: Expectation, now: datetime) -> None:
    if confirmation.recipient not in expected.recipients:
        raise AssertionRefused(f"its recipient {confirmation.recipient} is not this address")
    end = confirmation.window.not_on_or_after
    if end is None:
        raise AssertionRefused("its confirmation never expires")
    if end > now + _MAX_LIFETIME:
        raise AssertionRefused(f"its confirmation lives until {end.isoformat()}, longer than {MAX_LIFETIME_S} s")
    _check_window(confirmation.window, now)
    if (confirmation.in_response_to is not None) != expected.answers_request:
        raise AssertionRefused("it does not answer a request of ours" if expected.answers_request else _UNASKED)
