"""What may be said about a store's address, and the error for a store that does not answer.

A URL may hold a password, so no message here quotes one: an operator sees host, port and database, and the
name of the environment variable to correct.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from redcore_server.settings import OperatorError

DATABASE_VARIABLE: Final = "REDCORE_SERVER_DATABASE_URL"
REDIS_VARIABLE: Final = "REDCORE_SERVER_REDIS_URL"


class StoreError(OperatorError):
    """A store cannot be used as configured; the message says which one and what to correct."""


def without_password(url: str) -> str:
    """Return `host:port/database` of a URL, or a placeholder if it cannot be read safely.

    Args:
        url: of a database or a Redis server, possibly with credentials.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an unreadable address"
    if not host:
        return "an address without a host"
    return f"{host}{f':{port}' if port else ''}{parts.path}"
