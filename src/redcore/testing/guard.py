"""Prevents tests from calling BlueRound's production and staging hosts.

Names are looked up through one function of the standard library, whichever HTTP library connects; what a fake or a
mock answers is never looked up.
"""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from redcore.exceptions import ConfigurationError

OWN = (".blueround.com", ".blueround.dev")  # contract section 2: production and staging


@contextmanager
def no_network() -> Generator[None]:
    """Reject name lookups of production and staging, for every client of this process."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        refuse(host)
        return original(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = original


def refuse(host: bytes | str | None) -> None:
    """Reject a host name of BlueRound.

    Raises:
        ConfigurationError: it is a BlueRound host.
    """
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if f".{name.lower().rstrip('.')}".endswith(OWN):
        raise ConfigurationError(
            f"a test called {name}, which redcore_no_network forbids; use the fixture redcore_fake, or give base_url"
        )
