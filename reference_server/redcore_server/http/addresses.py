"""Addresses: of a client, in full and in the form that rate limits count, and of the proxies that name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

from redcore_server.http.context import ScopeKey

PEER: Final = ScopeKey[str]("redcore.peer")
"""The peer of the connection; uvicorn replaces `client` with the address a trusted proxy reports."""

UNKNOWN: Final = "unknown"
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1: clients behind a translator (RFC 7915)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")  # RFC 4291 section 2.5.5.2
_MAPPED_PREFIX: Final = _MAPPED.prefixlen
_HOME_PREFIX: Final = 64  # RFC 6177: the smallest block assigned to a site, so its addresses count as one client


def client_address(scope: Scope) -> str:
    """Return the client's address, or the peer's if a proxy reported something that is not an address."""
    return str(_address(scope) or UNKNOWN)


def counted_address(scope: Scope) -> str:
    """Return the client's key for counters and logs (contract section 4).

    An IPv6 address counts as its /64, an IPv4 address in IPv6 form as the IPv4 address.
    """
    return _counted(_address(scope))


def in_both_forms(networks: Iterable[str]) -> Iterator[str]:
    """Yield networks, those of IPv4 in both forms: a proxy that listens on IPv6 too names its peers in the IPv6 form.

    Args:
        networks: Addresses and networks.
    """
    for text in networks:
        yield text
        network = ip_network(text)
        if isinstance(network, IPv4Network):
            yield f"::ffff:{network.network_address}/{_MAPPED_PREFIX + network.prefixlen}"
        elif network.subnet_of(_MAPPED):
            yield f"{network.network_address.ipv4_mapped}/{network.prefixlen - _MAPPED_PREFIX}"


@lru_cache(maxsize=1024)
def _counted(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _HOME_PREFIX), strict=False))
    return str(address or UNKNOWN)


def _address(scope: Scope) -> IPv4Address | IPv6Address | None:
    client = scope.get("client")
    return _parsed(client[0] if client else None) or _parsed(PEER.find(scope))


@lru_cache(maxsize=1024)  # the addresses of the clients with open connections, mostly
def _parsed(host: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host or "")
    except ValueError:
        return None
    return (_embedded(address) or address) if isinstance(address, IPv6Address) else address


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address in an IPv6 one: mapped, or translated, which all lie in one /64."""
    return IPv4Address(address.packed[-4:]) if address in _TRANSLATED else address.ipv4_mapped
