"""Where an application may send people back to: exactly where it said it would (RFC 9700 section 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# RFC 8252 section 7.3: a program on the person's machine listens on whatever port is free. The names of the loopback
# interface are not among them (section 8.3).
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?((?:[/?].*)?)")


def is_registered(requested: str, registered: Iterable[str]) -> bool:
    """Tell whether an address is one of the registered ones, character for character but for a loopback port.

    Args:
        requested: Of an authorization request.
        registered: Of the application.
    """
    return any(requested == uri or _without_port(requested) == _without_port(uri) for uri in registered)


def _without_port(uri: str) -> object:
    """Return what loopback addresses that differ in the port alone have in common; nothing else is equal to it."""
    match = _LOOPBACK.fullmatch(uri)
    return match.groups() if match else object()
