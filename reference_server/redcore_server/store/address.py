"""Safe display of a store's address, and the error for a store that does not answer.

A URL may hold a password, so no message here quotes one: an operator sees host, port and database, and the
name of the environment variable to correct.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlsplit

from redcore_server.settings import OperatorError, hosts_of

DATABASE_VARIABLE: Final = "REDCORE_SERVER_DATABASE_URL"
REDIS_VARIABLE: Final = "REDCORE_SERVER_REDIS_URL"


class StoreError(OperatorError):
    """A store cannot be used as configured; the message says which one and what to correct."""


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
