"""URLs as anybody may see them. Performs no I/O."""

from __future__ import annotations

from urllib.parse import unquote_plus

SHOWN = frozenset({"limit", "offset", "role", "status", "workflow"})
"""Parameters whose values say nothing about anybody."""
REDACTED = "REDACTED"  # OpenTelemetry's word, semantic conventions of HTTP, url.full


def shown_url(url: str) -> str:
    """A URL in which every value of the query is redacted but those that are known to be harmless."""
    address, question_mark, query = url.partition("?")
    return address + question_mark + "&".join(shown_pair(pair) for pair in query.split("&"))


def shown_pair(pair: str) -> str:
    """One parameter of a query."""
    name, equals, _ = pair.partition("=")
    if not pair or (equals and unquote_plus(name) in SHOWN):
        return pair
    return name + equals + REDACTED if equals else REDACTED
