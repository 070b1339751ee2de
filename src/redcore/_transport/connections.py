"""The ways to servers, through a proxy or directly, and the connections that wait there for their next request.

httpcore's pool looks at all its connections and requests whenever one begins or ends, which makes a hundred concurrent
calls six times as slow as need be. Here a connection is taken from the top of a stack and put back; the connections
are httpcore's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeAlias, TypeVar

import attrs
import httpcore

from redcore._transport.httpcore_request import Address, address
from redcore._transport.proxies import Proxy, proxy_for


class Connection(Protocol):
    """What connections of both colours know of themselves."""

    def is_idle(self) -> bool:
        """Whether a next request can be sent."""
        ...

    def has_expired(self) -> bool:
        """Whether it waited too long, or the server has closed it."""
        ...


ConnectionT = TypeVar("ConnectionT", bound=Connection)

MAX_CONNECTIONS = 100
Slots: TypeAlias = "SimpleQueue[None]"
SPARE_S = 30.0  # below the 60 s or more that servers and load balancers keep an idle connection


def slots() -> Slots:
    """One for each connection that there may be: a semaphore in C, where threading's is in Python."""
    free: Slots = SimpleQueue()
    for _ in range(MAX_CONNECTIONS):
        free.put(None)
    return free


def take_slot(free: Slots, wait_s: float) -> None:
    """Wait until there may be another connection; the caller puts the slot back.

    Raises:
        TimeoutError: that takes too long.
    """
    try:
        free.get(timeout=wait_s)
    except Empty:
        raise TimeoutError from None


@attrs.frozen(eq=False)
class Route(Generic[ConnectionT]):
    """The way to an origin."""

    to: Address
    _connect: Callable[[httpcore.Origin], ConnectionT]
    _spares: deque[ConnectionT] = attrs.field(factory=deque[ConnectionT])

    def take(self) -> ConnectionT:
        """The connection that was used last, which is the least likely to have ended; a new one if there is none.

        It may have expired: it is then for the caller to close.
        """
        try:
            return self._spares.pop()
        except IndexError:
            return self._connect(self.to.origin)

    def put(self, connection: ConnectionT) -> ConnectionT | None:
        """Keep a connection for the next request.

        Returns:
            One to close instead: this one, if it can take no request, or the one that has waited longest, if too long.
        """
        if not connection.is_idle():
            return connection
        spent = self._spent()
        self._spares.append(connection)
        return spent

    def _spent(self) -> ConnectionT | None:
        """The connection that has waited longest, if it has expired."""
        try:
            eldest = self._spares.popleft()
        except IndexError:
            return None
        if eldest.has_expired():
            return eldest
        self._spares.appendleft(eldest)
        return None

    def __iter__(self) -> Iterator[ConnectionT]:
        """The spare connections, which are spare no longer."""
        while True:
            try:
                yield self._spares.popleft()
            except IndexError:
                return

    def __len__(self) -> int:
        return len(self._spares)


class Routes(Generic[ConnectionT]):
    """The ways to all origins that a client talks to, made when first needed; safe in threads.

    Args:
        connector: Makes a connection to an origin, through a proxy or directly.
    """

    def __init__(self, connector: Callable[[Proxy | None, httpcore.Origin], ConnectionT]) -> None:
        self._connector = connector
        self._routes: dict[str, Route[ConnectionT]] = {}

    def to(self, origin: str) -> Route[ConnectionT]:
        """The way to an origin."""
        route = self._routes.get(origin)
        if route is None:
            where = address(origin)
            proxy = proxy_for(where.scheme, where.host, where.origin.port)
            made = Route(where, partial(self._connector, proxy))
            route = self._routes.setdefault(origin, made)  # of two threads that both make one, one wins
        return route

    def spares(self) -> Iterator[ConnectionT]:
        """All spare connections, which are spare no longer."""
        for route in list(self._routes.values()):
            yield from route
