"""Concurrent queries are sent together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from redcore_server.store.batch import Batch

pytestmark = pytest.mark.anyio


class Store:
    """Answers a number with its square, and records each batch."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    async def squares(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.asked.append(list(numbers))
        await asyncio.sleep(0)
        return [number**2 if number >= 0 else ValueError(number) for number in numbers]


async def test_queries_of_one_turn_are_sent_together() -> None:
    """A query during a trip gets an answer of its own."""
    store = Store()
    batch = Batch(store.squares)

    together = [batch.answer(2), batch.answer(3), batch.answer(2)]
    await asyncio.sleep(0)
    later = batch.answer(4)

    assert await asyncio.gather(*together, later) == [4, 9, 4, 16]
    assert store.asked == [[2, 3, 2], [4]]


async def test_queries_during_a_trip_share_the_next_one() -> None:
    """One trip is under way at a time, so that a busy store gets fewer trips, not more."""
    arrived = asyncio.Event()
    trips: list[list[int]] = []

    async def slow(numbers: Sequence[int]) -> Sequence[int]:
        trips.append(list(numbers))
        await arrived.wait()
        return numbers

    batch = Batch(slow)
    answers = [batch.answer(1)]
    for number in (2, 3):
        await asyncio.sleep(0)
        answers.append(batch.answer(number))
    arrived.set()

    assert await asyncio.gather(*answers) == [1, 2, 3]
    assert trips == [[1], [2, 3]]


async def test_an_error_is_raised_for_its_query_alone() -> None:
    """The others have their answers."""
    batch = Batch(Store().squares)
    good, bad = batch.answer(2), batch.answer(-1)

    assert await good == 4
    with pytest.raises(ValueError, match="-1"):
        await bad


async def test_a_store_that_is_down_is_raised_for_every_query() -> None:
    """And the next queries are tried again."""
    attempts: list[Sequence[int]] = []

    async def away(numbers: Sequence[int]) -> list[int]:
        attempts.append(numbers)
        raise ConnectionError("away")

    batch = Batch(away)
    first = await asyncio.gather(batch.answer(1), batch.answer(2), return_exceptions=True)
    with pytest.raises(ConnectionError):
        await batch.answer(3)

    assert [str(error) for error in first] == ["away", "away"]
    assert attempts == [[1, 2], [3]]


async def test_a_cancelled_caller_affects_no_other() -> None:
    """A cancelled query gets no answer; those beside it do."""
    batch = Batch(Store().squares)
    gone, here = batch.answer(2), batch.answer(3)

    gone.cancel()

    assert await here == 9
