"""Laws of pagination in both colours: each item once while the listing stays the same, none twice while it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.listing import Item, Listing

from redcore import AsyncPages, Pages

Walker = Callable[..., list[int]]
Change = Callable[[list[int]], object]


def blocking(listing: Listing, page_size: int, concurrency: int, offset: int = 0) -> list[int]:
    """Return the ids that `Pages` yields."""
    pages: Pages[Item] = Pages(listing, listing.describe(page_size), concurrency=concurrency, offset=offset)
    return [item.id for item in pages.iter_items()]


def awaiting(backend: str) -> Walker:
    """Return the ids that `AsyncPages` yields; the listing is asked in any order and answers in any other."""

    def walk(listing: Listing, page_size: int, concurrency: int, offset: int = 0) -> list[int]:
        async def execute(operation: Any) -> Any:
            page = listing(operation)
            for _ in range(page.meta.offset % 4):
                await anyio.lowlevel.checkpoint()
            return page

        async def main() -> list[int]:
            pages: AsyncPages[Item] = AsyncPages(
                execute, listing.describe(page_size), concurrency=concurrency, offset=offset
            )
            return [item.id async for item in pages.iter_items()]

        return anyio.run(main, backend=backend)

    return walk


sizes = st.integers(1, 12)
walkers = pytest.mark.parametrize(
    "walker", [blocking, awaiting("asyncio"), awaiting("trio")], ids=["sync", "asyncio", "trio"]
)


def deletion(index: int) -> Change:
    def change(ids: list[int]) -> None:
        if ids:
            ids.pop(index % len(ids))

    return change


def creation(number: int) -> Change:
    return lambda ids: ids.insert(0, -number)


def nothing(_: list[int]) -> None:
    """No change."""


deletions = st.lists(st.builds(deletion, st.integers(0, 60)) | st.just(nothing), max_size=30)
creations = st.lists(st.integers(1, 10**6).map(creation) | st.just(nothing), max_size=10)


@walkers
@given(total=st.integers(0, 40), most=sizes, page_size=sizes, concurrency=st.integers(1, 6), offset=st.integers(0, 45))
def test_pagination_yields_each_item_exactly_once(walker: Walker, total: int, most: int, **options: int) -> None:
    """A walk yields every item from its offset on, once and in order, whatever the limits."""
    assert walker(Listing(range(total), most=most), **options) == list(range(total))[options["offset"] :]


@walkers
@given(total=st.integers(0, 40), page_size=sizes, concurrency=st.integers(1, 6), changes=creations)
def test_new_items_repeat_none(
    walker: Walker, total: int, page_size: int, concurrency: int, changes: list[Change]
) -> None:
    """Items created during a walk make no other appear twice or get lost."""
    given_out = walker(Listing(range(total), changes=changes), page_size, concurrency)

    assert [number for number in given_out if number >= 0] == list(range(total))


@walkers
@given(total=st.integers(0, 40), page_size=sizes, concurrency=st.integers(1, 6), changes=deletions)
def test_deleted_items_hide_none(
    walker: Walker, total: int, page_size: int, concurrency: int, changes: list[Change]
) -> None:
    """Items deleted during a walk hide none of those that stay, and make none appear twice."""
    listing = Listing(range(total), changes=changes)

    given_out = walker(listing, page_size, concurrency)

    assert len(set(given_out)) == len(given_out)
    assert set(given_out) >= set(listing.ids)


@walkers
@given(
    total=st.integers(0, 40),
    page_size=sizes,
    concurrency=st.integers(1, 6),
    changes=st.tuples(deletions, creations).map(lambda both: [*both[0], *both[1]]).flatmap(st.permutations),
)
def test_none_appears_twice(
    walker: Walker, total: int, page_size: int, concurrency: int, changes: list[Change]
) -> None:
    """Whatever happens to a listing, no item is yielded twice, and the walk ends."""
    given_out = walker(Listing(range(total), changes=changes), page_size, concurrency)

    assert len(set(given_out)) == len(given_out)
