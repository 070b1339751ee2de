"""Clocks that applications freeze and move: each library for it, over a real connection."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable
from itertools import count
from typing import Any

import freezegun
import pytest
import time_machine
from tests.client.loopback import Loopback, pair, user

from redcore import Client, RequestTimeoutError

Freeze = Callable[..., Any]


@pytest.fixture(params=["freezegun", "time-machine"])
def frozen(request: pytest.FixtureRequest) -> Any:
    """A clock that stands still, and moves when `moved` is called."""
    now = dt.datetime.now(dt.UTC)
    if request.param == "freezegun":
        return freezegun.freeze_time(now)
    return time_machine.travel(now, tick=False)


def moved(clock: Any, seconds: float) -> None:
    """Move a frozen clock."""
    shift = getattr(clock, "shift", None) or clock.tick
    shift(seconds)


def test_a_token_is_refreshed_when_a_frozen_clock_is_moved(server: Loopback, frozen: Any) -> None:
    """Its hour has passed on the clock of the application, whichever library moves it."""
    server.script(pair(1), user(), user(), pair(2), user())
    with frozen as clock, Client(client_id="app_1", client_secret="s", base_url=server.base_url) as client:
        client.users.get("usr_1")
        client.users.get("usr_1")
        moved(clock, 3700)
        client.users.get("usr_1")

    bearers = [seen.headers["authorization"] for seen in server.asked("/v1/users/usr_1")]
    assert bearers == ["Bearer access-1", "Bearer access-1", "Bearer access-2"]


def test_a_token_is_refreshed_when_the_clock_is_set_back(server: Loopback, frozen: Any) -> None:
    """The lifetime of a token that was issued in the future is unknown."""
    server.script(pair(1), user(), pair(2), user())
    with frozen as clock, Client(client_id="app_1", client_secret="s", base_url=server.base_url) as client:
        client.users.get("usr_1")
        moved(clock, -3600)
        client.users.get("usr_1")

    assert [seen.path for seen in server.seen] == ["/oauth/token", "/v1/users/usr_1"] * 2


@pytest.mark.parametrize("limit", ["timeout", "deadline"])
@pytest.mark.parametrize("transport", ["direct", "httpcore"])
def test_a_call_ends_in_time_while_the_clocks_stand_still(
    server: Loopback, frozen: Any, transport: Any, limit: str
) -> None:
    """A server that sends a byte now and then cannot hold a call forever: the clock of the sockets is never frozen."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.settimeout(0.01)
        for _ in count():
            try:
                connection.recv(1)
            except TimeoutError:
                connection.sendall(b" ")
            else:
                return

    server.answer = lambda _: drip
    options: dict[str, Any] = {limit: 0.1}
    client = Client(api_key="k", base_url=server.base_url, transport=transport, max_retries=0, **options)
    with frozen, client, pytest.raises(RequestTimeoutError, match="no complete answer"):
        client.users.get("usr_1")
