"""The origins that a direct transport reaches without a proxy, and their idle connections. Performs no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic

from redcore._transport.address import Address, address
from redcore._transport.connections import ConnectionT, Route
from redcore._transport.proxies import proxy_for


class DirectRoutes(Generic[ConnectionT]):
    """Routes by origin, created on first use; thread-safe.

    Args:
        connect: Makes a connection that is not open yet.
    """

    def __init__(self, connect: Callable[[Address], ConnectionT]) -> None:
        self._connect = connect
        self._routes: dict[str, Route[ConnectionT] | None] = {}

    def to(self, origin: str) -> Route[ConnectionT] | None:
        """Return the route to an origin; None if it is reached through a proxy."""
        try:
            return self._routes[origin]
        except KeyError:
            return self._routes.setdefault(origin, self._route(address(origin)))  # of two threads, one wins

    def _route(self, where: Address) -> Route[ConnectionT] | None:
        if proxy_for(where.scheme, where.host, where.port) is not None:
            return None
        return Route(where, self._connect)

    def idle(self) -> Iterator[ConnectionT]:
        """Remove and return all idle connections."""
        for route in list(self._routes.values()):
            if route is not None:
                yield from route
