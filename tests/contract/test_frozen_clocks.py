"""Clocks that freezegun and time-machine freeze and move: the same on the fake and on the server, which has its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from email.utils import formatdate
from typing import Any

import freezegun
import pytest
import time_machine

from redcore import AsyncClient, Client
from redcore.testing import FakeBlueRound, FakeTime, Fault, Lab

FAR = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
TWICE = [Fault(status=503, retry_after=30), Fault(status=429, retry_after=7)]


@pytest.fixture(params=["fake", "server"])
def platform(request: pytest.FixtureRequest) -> Any:
    """The fake and the server, on fresh data."""
    return request.getfixturevalue(f"redcore_{request.param}")


@pytest.fixture
def lab(platform: Any) -> Lab:
    """Its laboratory."""
    laboratory: Lab = platform.lab
    laboratory.reset()
    return laboratory


@pytest.fixture(params=["freezegun", "time-machine"])
def frozen(request: pytest.FixtureRequest) -> Any:
    """A clock far from the server's, frozen inside its `with` block."""
    if request.param == "freezegun":
        return freezegun.freeze_time(FAR, real_asyncio=True)
    return time_machine.travel(FAR, tick=False)


def move(clock: Any, seconds: float) -> None:
    """Move a frozen clock."""
    shift = getattr(clock, "shift", None) or clock.tick
    shift(seconds)


def test_a_token_expires_on_the_frozen_clock(platform: Any, lab: Lab, frozen: Any) -> None:
    """The client refreshes it when the hour has passed there."""
    with frozen as clock, Client(**platform.application) as client:
        client.users.get_me()
        client.users.get_me()
        move(clock, 3700)
        client.users.get_me()

    assert [seen.path for seen in lab.requests()] == ["/oauth/token", "/v1/me", "/v1/me", "/oauth/token", "/v1/me"]


def test_waits_before_retries_pass(platform: Any, lab: Lab, frozen: Any) -> None:
    """The fake moves the clock by itself, the server needs `FakeTime`."""
    lab.inject("GET", "/v1/me", TWICE)
    with frozen, FakeTime() as waits, Client(**platform.arguments) as client:
        client.users.get_me()

    assert waits.slept == [30.0, 7.0]


def test_awaited_waits_pass(platform: Any, lab: Lab, frozen: Any) -> None:
    """The clock of the event loop stays real."""
    lab.inject("GET", "/v1/me", TWICE)

    async def main() -> None:
        async with AsyncClient(**platform.arguments) as client:
            await client.users.get_me()

    with frozen, FakeTime() as waits:
        asyncio.run(main())

    assert waits.slept == [30.0, 7.0]


def test_a_run_is_waited_for(platform: Any, frozen: Any) -> None:
    """To its end, although no time passes by itself."""
    with frozen, FakeTime(on_sleep=lambda _: time.sleep(0.01)), Client(**platform.arguments) as client:
        run = client.workflows.wait(client.workflows.run("catalog_export"), timeout=1e6)

    assert run.status == "succeeded"


def test_a_date_in_retry_after_is_read_by_the_clock_of_the_platform(platform: Any, lab: Lab, frozen: Any) -> None:
    """The fake uses the frozen clock; the server has its own, which is in the `Date` of its answer."""
    now = FAR.timestamp() if isinstance(platform, FakeBlueRound) else time.time()
    after = formatdate(now + 50, usegmt=True)
    lab.inject("GET", "/v1/me", [Fault(status=503, retry_after=after)])
    with frozen, FakeTime() as waits, Client(**platform.arguments) as client:
        client.users.get_me()

    assert 1 < waits.slept[0] <= 51
