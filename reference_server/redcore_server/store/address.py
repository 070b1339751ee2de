"""Safe display of a store's address, and the error for a store that does not answer.

A URL may hold a password, so no message here quotes one: an operator sees host, port and database, and the
name of the environment variable to correct.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from redcore_server.settings import OperatorError
from redcore_server.settings.values import hosts_of

DATABASE_VARIABLE: Final = "REDCORE_SERVER_DATABASE_URL"
REDIS_VARIABLE: Final = "REDCORE_SERVER_REDIS_URL"


class StoreError(OperatorError):
    """A store cannot be used as configured; the message says which one and what to correct."""


class EmbeddedUrl(str):
    """The URL of a store that another process runs: it may come back on another port when it is restarted.

    Equal to the URL at the start, and read again for each new connection (`current`).
    """

    __slots__ = ("_find",)
    _find: Callable[[], str | None]

    def __new__(cls, url: str, find: Callable[[], str | None]) -> Self:
        """Return the URL.

        Args:
            url: URL at the start.
            find: Returns the current URL; None while the store is down.
        """
        found = super().__new__(cls, url)
        found._find = find
        return found

    @property
    def current(self) -> str:
        """The URL for a new connection; the first one while the store is down."""
        return self._find() or self


def without_password(url: str) -> str:
    """Return `host:port/database` of a URL, several hosts separated by commas, or a placeholder if it cannot be read.

    Args:
        url: URL of a database or a Redis server, possibly with credentials.
    """
    try:
        parts = urlsplit(url)
        hosts = hosts_of(url) or _hosts_in_query(parts.query)
    except ValueError:
        return "an unreadable address"
    if not hosts:
        return "an address without a host"
    return ",".join(f"{host}{f':{port}' if port else ''}" for host, port in hosts) + parts.path


def _hosts_in_query(query: str) -> list[tuple[str, int | None]]:
    """Return the hosts of `?host=one,two&port=1,2`, which libpq accepts as well."""
    parameters = parse_qs(query)
    hosts = parameters.get("host", [""])[0].split(",")
    ports = parameters.get("port", [""])[0].split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    return [(host, int(port) if port else None) for host, port in zip(hosts, ports, strict=True) if host]
