"""Redacts URLs for telemetry. Performs no I/O."""

from __future__ import annotations

from urllib.parse import unquote_plus

SHOWN = frozenset({"limit", "offset", "role", "status", "workflow"})
"""Query parameters whose values are not sensitive."""
REDACTED = "REDACTED"  # as OpenTelemetry's semantic conventions for HTTP say, url.full


def shown_url(url: str) -> str:
    """Redact every query value in a URL, except those known to be harmless."""
    address, question_mark, query = url.partition("?")
    return address + question_mark + "&".join(shown_pair(pair) for pair in query.split("&"))


def shown_pair(pair: str) -> str:
    """Redact one query parameter."""
    name, equals, _ = pair.partition("=")
    if not pair or (equals and unquote_plus(name) in SHOWN):
        return pair
    return name + equals + REDACTED if equals else REDACTED
