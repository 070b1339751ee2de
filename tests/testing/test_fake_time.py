"""Clients whose waits take no time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from redcore import AsyncClient, Client, ConfigurationError, RateLimitError, RedcoreAPIError
from redcore._base.runtime import TIME
from redcore.testing import FakeBlueRound, FakeTime, Fault
from redcore.tokens import TokenSet

START = 1_700_000_000.0


@pytest.fixture
def fake() -> Any:
    with FakeTime(start=START), FakeBlueRound() as fake:
        yield fake


def outage(fake: FakeBlueRound, times: int) -> None:
    fake.inject(None, "/v1/me", *[Fault(status=503)] * times)


def test_waits_are_recorded_and_move_the_clock(fake: FakeBlueRound) -> None:
    """Back-off takes no time, and is exact: there is no jitter."""
    outage(fake, 2)

    with FakeTime() as fake_time, fake.client() as client:
        client.users.get_me()

    assert fake_time.slept == [1.0, 2.0]


@pytest.mark.parametrize(("draw", "wait"), [(0.0, 0.9), (0.5, 1.0), (0.75, 1.05)])
def test_jitter_can_be_chosen(fake: FakeBlueRound, draw: float, wait: float) -> None:
    """The test sets the random number of each jitter."""
    outage(fake, 1)

    with FakeTime(draw=draw) as fake_time, fake.client() as client:
        client.users.get_me()

    assert fake_time.slept == [pytest.approx(wait)]


def test_a_client_made_before_uses_it(fake: FakeBlueRound) -> None:
    """Every client inside the block uses it, whenever it was made."""
    outage(fake, 1)
    with fake.client() as client, FakeTime() as fake_time:
        client.users.get_me()

    assert fake_time.slept == [1.0]


@pytest.mark.anyio
async def test_an_async_client(fake: FakeBlueRound) -> None:
    """It does not wait either; code after the waits may block."""
    outage(fake, 2)
    followed: list[float] = []

    with FakeTime(on_sleep=followed.append) as fake_time:
        async with AsyncClient(**fake.arguments) as client:
            await client.users.get_me()

    assert fake_time.slept == followed == [1.0, 2.0]


@pytest.mark.anyio
async def test_an_async_client_in_a_loop_of_its_own(fake: FakeBlueRound) -> None:
    """No thread is needed without a blocking function."""
    outage(fake, 1)

    with FakeTime() as fake_time:
        async with AsyncClient(**fake.arguments) as client:
            await client.users.get_me()

    assert fake_time.slept == [1.0]


def test_stopped_clocks_move_by_waits_only(fake: FakeBlueRound) -> None:
    """With a start time, the clock only moves by waits and `advance`."""
    outage(fake, 1)

    with FakeTime(start=START) as fake_time:
        fake.client().users.get_me()
        after_the_wait = fake_time.now
        fake_time.advance(3600)

    assert (after_the_wait, fake_time.now) == (START + 1.0, START)  # outside the block: the outer clock


def test_a_deadline_passes_by_waits(fake: FakeBlueRound) -> None:
    """A wait that would pass the deadline is not started."""
    outage(fake, 3)

    with FakeTime(start=START) as fake_time, pytest.raises(RedcoreAPIError) as caught:
        fake.client(deadline=2.5).users.get_me()

    assert (fake_time.slept, caught.value.attempts[-1].stopped) == ([1.0], "deadline")


def test_a_token_expires_when_time_is_advanced(fake: FakeBlueRound) -> None:
    """The client's clock decides whether a token is still valid."""
    with FakeTime() as fake_time:
        client = Client.from_tokens(TokenSet(access_token="a", expires_at=fake_time.now + 60), client_id="app_1")
        fake_time.advance(61)
        with pytest.raises(ConfigurationError, match="the access token has ended"):
            client.users.get_me()

    assert fake.requests == []


def test_retry_after_is_exact(fake: FakeBlueRound) -> None:
    """The wait is what the server asks for."""
    fake.fail("users.get_me", RateLimitError, retry_after=7)

    with FakeTime(draw=0.0) as fake_time, fake.client() as client:
        client.users.get_me()

    assert fake_time.slept == [7.0]


def test_everything_is_restored_after_the_block() -> None:
    """Clocks, random and sleep are the process's own again."""
    with FakeTime(start=0.0, draw=0.0) as fake_time:
        fake_time.sleep(5.0)

    assert (TIME.sleeper, TIME.draw, TIME.stopped_at, TIME.skipped_s) == (None, None, None, 0.0)
    assert abs(fake_time.now - time.time()) < 60.0


def test_a_fake_platform_inside_uses_it() -> None:
    """A wait of a client of `FakeBlueRound` is recorded by the surrounding `FakeTime`."""
    with FakeTime() as fake_time, FakeBlueRound() as fake:
        fake.fail("users.get_me", RateLimitError, retry_after=3)
        fake.client().users.get_me()

    assert fake_time.slept == [3.0]


@pytest.mark.parametrize("draw", [-0.1, 1.0])
def test_an_invalid_random_number(draw: float) -> None:
    """It is refused at once."""
    with pytest.raises(ValueError, match="draw must be from 0"):
        FakeTime(draw=draw)


def test_the_fixture(redcore_time: FakeTime) -> None:
    """Pytest finds the fixture by itself."""
    redcore_time.sleep(2.0)

    assert redcore_time.slept == [2.0]
