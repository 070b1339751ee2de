"""The idle connections of a route."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from redcore._transport.address import address
from redcore._transport.connections import Route


@attrs.define(eq=False)
class Idle:
    """A connection that works; `while_checked` is called whenever it is examined."""

    while_checked: Callable[[], object] = list

    def is_idle(self) -> bool:
        return True

    def has_expired(self) -> bool:
        self.while_checked()
        return False


def test_a_connection_is_free_while_another_is_checked() -> None:
    """A check polls, which lets other greenlets run; they would open more connections than a client may have."""
    taken: list[Idle] = []
    route = Route(address("http://127.0.0.1:1"), lambda _: Idle())
    eldest, latest = Idle(lambda: taken.append(route.take())), Idle()
    route.put(eldest)

    route.put(latest)

    assert taken == [latest]
    assert route.take() is eldest
