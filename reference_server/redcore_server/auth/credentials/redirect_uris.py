"""Redirect URIs: only an exact match of a registered one is allowed (RFC 9700 section 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# RFC 8252 section 7.3: a native app listens on any free port. The names of the loopback
# interface are not among them (section 8.3).
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?((?:[/?].*)?)")


def is_registered(requested: str, registered: Iterable[str]) -> bool:
    """Return whether a redirect URI is registered: an exact match, except for the port of a loopback address.

    Args:
        requested: Redirect URI of the authorization request.
        registered: Redirect URIs of the application.
    """
    return any(requested == uri or _without_port(requested) == _without_port(uri) for uri in registered)


def _without_port(uri: str) -> object:
    """Return a key that is equal only for loopback addresses that differ in nothing but the port."""
    match = _LOOPBACK.fullmatch(uri)
    return match.groups() if match else object()
