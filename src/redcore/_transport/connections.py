"""Routes to origins, direct or through a proxy, and their idle connections.

httpcore's pool scans all its connections and requests whenever one begins or ends, which makes a hundred concurrent
calls six times slower than necessary. Here a connection is popped from a stack and pushed back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar
from weakref import ref

import attrs

from redcore._transport.address import Address, address
from redcore._transport.errors import AllInUse
from redcore._transport.proxies import Proxy, proxy_for
from redcore._transport.timeouts import TimeLimits


class Connection(Protocol):
    """The interface that sync and async connections share."""

    def is_idle(self) -> bool:
        """Whether another request can be sent."""
        ...

    def has_expired(self) -> bool:
        """Whether it was idle for too long, or closed by the server."""
        ...


ConnectionT = TypeVar("ConnectionT", bound=Connection)

MAX_CONNECTIONS = 100  # as httpx
SPARE_S = 30.0  # below the 60 s or more for which servers and load balancers keep idle connections


class Slots:
    """One slot per allowed connection: a semaphore in C, as threading's is in Python."""

    def __init__(self) -> None:
        self._free: SimpleQueue[Slot] = SimpleQueue()
        self.put = self._free.put
        for _ in range(MAX_CONNECTIONS):
            self.put(Slot(self))

    def take(self, limits: TimeLimits) -> Slot:
        """Wait for a free slot, which the caller must give back.

        Raises:
            AllInUse: no slot became free in time.
            TimeoutError: the deadline has passed.
        """
        try:
            return self._free.get_nowait()
        except Empty:
            pass
        try:
            return self._free.get(timeout=limits.wait_s())
        except Empty:
            raise AllInUse from None


class Slot:
    """A slot, in use or free. One that Ctrl-C takes from a call between two steps comes back by garbage collection."""

    __slots__ = ("_slots",)

    def __init__(self, slots: Slots) -> None:
        self._slots = ref(slots)

    def give_back(self) -> None:
        """Let another call have it."""
        if (slots := self._slots()) is not None:
            slots.put(self)

    def __del__(self) -> None:
        if (slots := self._slots()) is not None:
            slots.put(Slot(slots))


@attrs.frozen(eq=False)
class Route(Generic[ConnectionT]):
    """The route to an origin."""

    to: Address
    _connect: Callable[[Address], ConnectionT]
    is_proxied: bool = False
    _spares: deque[ConnectionT] = attrs.field(factory=deque[ConnectionT])

    def take(self) -> ConnectionT:
        """Return the most recently used connection, which is least likely to be closed; or a new one.

        If it has expired, the caller must close it.
        """
        try:
            return self._spares.pop()
        except IndexError:
            return self._connect(self.to)

    def put(self, connection: ConnectionT) -> ConnectionT | None:
        """Keep a connection for the next request.

        Returns:
            A connection to close: this one if it cannot be reused, or the longest idle one if it has expired.
        """
        if not connection.is_idle():
            return connection
        is_alone = not self._spares
        self._spares.append(connection)  # first, as the check lets greenlets run: they would open others
        return None if is_alone else self._spent()

    def _spent(self) -> ConnectionT | None:
        """Remove and return the longest idle connection, if it has expired."""
        try:
            eldest = self._spares.popleft()
        except IndexError:
            return None
        if eldest.has_expired():
            return eldest
        self._spares.appendleft(eldest)
        return None

    def __iter__(self) -> Iterator[ConnectionT]:
        """Remove and return all idle connections."""
        while True:
            try:
                yield self._spares.popleft()
            except IndexError:
                return

    def __len__(self) -> int:
        return len(self._spares)


class Routes(Generic[ConnectionT]):
    """The routes to all origins of a client, created on first use; thread-safe.

    Args:
        connector: Makes a connection to an origin, directly or through a proxy.
    """

    def __init__(self, connector: Callable[[Proxy | None, Address], ConnectionT]) -> None:
        self._connector = connector
        self._routes: dict[str, Route[ConnectionT]] = {}

    def to(self, origin: str) -> Route[ConnectionT]:
        """The route to an origin."""
        route = self._routes.get(origin)
        if route is None:
            where = address(origin)
            proxy = proxy_for(where.scheme, where.host, where.port)
            made = Route(where, partial(self._connector, proxy), is_proxied=proxy is not None)
            route = self._routes.setdefault(origin, made)  # if two threads create one, one of them wins
        return route

    def spares(self) -> Iterator[ConnectionT]:
        """Remove and return all idle connections."""
        for route in list(self._routes.values()):
            yield from route
