"""Pagination: walks over listings that stay the same, and over listings that change."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from itertools import chain
from typing import Any

import pytest
from tests.core.listing import Item, Listing, create, delete, ids, pages

from redcore import ArgumentError, AsyncPages, ItemIterator, NetworkError, Pages
from redcore._paging.walk import REMEMBERED, Recent, Walk


class TestSharing:
    def test_threads_share_an_iterator(self) -> None:
        """Each item goes to one of them, and each page is fetched once."""
        listing = Listing(range(200))
        shared = pages(listing, 7).iter_items()

        with ThreadPoolExecutor(8) as pool:
            shares = [part.result() for part in [pool.submit(ids, shared) for _ in range(8)]]

        assert sorted(chain(*shares)) == [*range(200)]
        assert listing.asked == [(7, offset) for offset in range(0, 200, 7)]

    def test_tasks_share_an_iterator(self) -> None:
        """As threads do."""
        listing = Listing(range(20))

        async def execute(operation: Any, /) -> Any:
            await asyncio.sleep(0)  # time for the other tasks to wait for this page
            return listing(operation)

        async def main() -> list[list[int]]:
            shared = AsyncPages[Item](execute, listing.describe(7)).iter_items()

            async def share() -> list[int]:
                return [item.id async for item in shared]

            return await asyncio.gather(*(share() for _ in range(8)))

        assert sorted(chain(*asyncio.run(main()))) == [*range(20)]
        assert listing.asked == [(7, 0), (7, 7), (7, 14)]


class TestAListingThatStandsStill:
    def test_pagination_by_offset(self) -> None:
        """Each page starts where the one before ended; nothing is fetched past the total."""
        listing = Listing(range(7))

        assert [[item.id for item in page] for page in pages(listing)] == [[0, 1, 2], [3, 4, 5], [6]]
        assert listing.asked == [(3, 0), (3, 3), (3, 6)]

    def test_nothing_is_fetched_before_it_is_reached(self) -> None:
        """Without concurrency a page is fetched when the iteration reaches it."""
        listing = Listing(range(7))

        walk = iter(pages(listing))

        assert listing.asked == []
        next(walk)
        assert listing.asked == [(3, 0)]

    def test_it_can_be_iterated_again(self) -> None:
        """Iterating the same pages again starts again."""
        twice = pages(Listing(range(7)))

        assert ids(twice.iter_items()) == list(range(7))
        assert ids(twice.iter_items()) == list(range(7))

    def test_an_empty_listing_has_no_pages(self) -> None:
        """Pages without items are not yielded."""
        assert list(pages(Listing([]))) == []

    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_a_server_may_give_fewer(self, concurrency: int) -> None:
        """Offsets follow the number of items received, not the limit requested."""
        listing = Listing(range(250), most=100)

        assert ids(pages(listing, 500, concurrency=concurrency).iter_items()) == list(range(250))
        assert sorted(listing.asked) == [(500, 0), (500, 100), (500, 200)]

    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_a_page_that_is_short_is_made_up_for(self, concurrency: int) -> None:
        """When a page in the middle has fewer items than the others, the next starts right after it."""
        listing = Listing(range(20))

        def stingy(operation: Any) -> Any:
            listing._most = 2 if operation.query["offset"] == 4 else 4
            return listing(operation)

        walk: ItemIterator[Item] = Pages(stingy, listing.describe(4), concurrency=concurrency).iter_items()

        assert ids(walk) == list(range(20))

    def test_a_walk_starts_at_its_offset(self) -> None:
        """An offset is the number of items to skip."""
        assert ids(pages(Listing(range(7)), offset=4).iter_items()) == [4, 5, 6]

    def test_a_walk_ends_without_items(self) -> None:
        """A server that gives a total but no further items ends the walk."""
        listing = Listing(range(7))

        def lying(operation: Any) -> Any:
            if operation.query["offset"] == 3:
                listing.ids[3:] = []
            page = listing(operation)
            object.__setattr__(page.meta, "total", 7)
            return page

        walk: ItemIterator[Item] = Pages(lying, listing.describe(3)).iter_items()

        assert ids(walk) == [0, 1, 2]

    def test_items_without_an_id(self) -> None:
        """Items without an id are yielded without a check for repetition."""
        listing = Listing([1, 1, 2])

        def nameless(operation: Any) -> Any:
            page = listing(operation)
            object.__setattr__(page, "data", tuple(item.id for item in page.data))
            return page

        walk: ItemIterator[int] = Pages(nameless, listing.describe(2)).iter_items()

        assert list(walk) == [1, 1, 2]


class TestWhereItIs:
    def test_after_each_item(self) -> None:
        """The offset is that of the item which comes next, the total that of the listing."""
        walk = pages(Listing(range(5))).iter_items()
        assert (walk.offset, walk.total) == (0, None)

        places = [(walk.offset, walk.total) for _ in walk]

        assert places == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]

    def test_after_each_page(self) -> None:
        """Between pages it is that of the next page."""
        walk = iter(pages(Listing(range(5)), offset=1))

        assert [(page.meta.offset, walk.offset) for page in walk] == [(1, 4), (4, 5)]

    def test_after_items_that_were_dropped(self) -> None:
        """Repeated items count, as they have a place in the listing."""
        walk = pages(Listing(range(6), changes=[create(-1)])).iter_items()

        assert [(item.id, walk.offset) for item in walk][2:5] == [(2, 3), (3, 5), (4, 6)]

    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_another_walk_continues_from_there(self, concurrency: int) -> None:
        """Two walks, the second from the offset of the first, give what one would."""
        first = pages(Listing(range(11)), concurrency=concurrency).iter_items()
        begun = [next(first).id for _ in range(4)]
        first.close()

        assert begun + ids(pages(Listing(range(11)), offset=first.offset).iter_items()) == list(range(11))


class TestAListingThatChanges:
    def test_repeated_items_are_dropped(self) -> None:
        """Two new items push the last two of a page to the next page."""
        walk = pages(Listing(range(9), changes=[create(-2, -1)])).iter_items()

        assert ids(walk) == list(range(9))
        assert walk.changed
        assert walk.total == 11

    def test_a_repeated_page_is_not_yielded(self) -> None:
        """A page of which every item was yielded before is left out."""
        walk = iter(pages(Listing(range(5), changes=[create(-3, -2, -1)])))

        assert [[item.id for item in page] for page in walk] == [[0, 1, 2], [3, 4]]

    def test_deleted_items_hide_none(self) -> None:
        """When the total shrinks, the walk steps back to where the others moved to."""
        listing = Listing(range(9), changes=[delete(0, 1)])
        walk = pages(listing).iter_items()

        assert ids(walk) == list(range(9))
        assert listing.asked == [(3, 0), (3, 3), (3, 1), (3, 4)]
        assert walk.changed
        assert walk.total == 7

    def test_deletions_one_after_the_other(self) -> None:
        """It steps back for each, also when the second comes while it looks again."""
        walk = pages(Listing(range(12), changes=[delete(0), delete(1), delete(2)])).iter_items()

        assert ids(walk) == list(range(12))

    def test_a_walk_never_steps_back_before_its_start(self) -> None:
        """Items to be skipped are not yielded, whatever is deleted."""
        walk = pages(Listing(range(9), changes=[delete(0, 1, 2, 3)]), offset=3).iter_items()

        assert ids(walk) == [3, 4, 5, 7, 8]

    def test_where_it_is_after_a_step_back(self) -> None:
        """When the fetch after a step back fails, another walk continues from that offset."""
        listing = Listing(range(9), changes=[delete(0, 1)])

        def failing(operation: Any) -> Any:
            if operation.query["offset"] == 1:
                raise NetworkError("reset")
            return listing(operation)

        walk: ItemIterator[Item] = Pages(failing, listing.describe(3)).iter_items()
        with pytest.raises(NetworkError):
            ids(walk)

        assert walk.offset == 1

    def test_a_listing_that_shrinks_to_nothing(self) -> None:
        """The walk ends."""
        assert ids(pages(Listing(range(9), changes=[list.clear]), offset=2).iter_items()) == [2, 3, 4]

    def test_inconsistent_totals(self) -> None:
        """A server whose nodes report different totals does not keep a walk from ending."""
        listing = Listing(range(60))

        def torn(operation: Any) -> Any:
            page = listing(operation)
            object.__setattr__(page.meta, "total", 60 if len(listing.asked) % 2 else 50)
            return page

        walk: ItemIterator[Item] = Pages(torn, listing.describe(10)).iter_items()

        assert ids(walk)[:50] == list(range(50))
        assert len(listing.asked) < 60

    def test_a_changed_listing_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        """One warning of a walk says that the listing changed, and how."""
        with caplog.at_level(logging.WARNING, "redcore"):
            ids(pages(Listing(range(9), changes=[delete(0), delete(1)])).iter_items())

        assert caplog.messages == ["a listing changed while it was walked: its total was 9 and is 8"]

    def test_an_unchanged_listing_logs_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        """Without a change nothing is logged."""
        walk = pages(Listing(range(9))).iter_items()

        ids(walk)

        assert not walk.changed
        assert caplog.messages == []


class TestAhead:
    def test_the_first_page_is_fetched_alone(self) -> None:
        """Until the length of the listing is known one page is fetched; then as many as are needed."""
        walk = Walk[Item](0)
        assert walk.wanted(8) == [0]

        walk.take(Listing(range(7))(Listing([]).describe(2)(offset=0)))

        assert walk.wanted(8) == [2, 4, 6]
        assert walk.wanted(2) == [2, 4]

    def test_the_threads_work_in_the_context_of_the_caller(self) -> None:
        """Context variables, such as those of a trace or a request, have their values in the threads too."""
        variable = ContextVar("variable", default="outside")
        listing = Listing(range(9))
        seen: list[str] = []

        def execute(operation: Any) -> Any:
            seen.append(variable.get())
            return listing(operation)

        variable.set("inside")
        walk: ItemIterator[Item] = Pages(execute, listing.describe(3), concurrency=2).iter_items()
        ids(walk)

        assert seen == ["inside"] * 3

    @pytest.mark.parametrize("concurrency", [0, -1])
    def test_invalid_concurrency(self, concurrency: int) -> None:
        """Fewer pages than one at a time is refused, before anything is fetched."""
        with pytest.raises(ArgumentError, match="concurrency must be a whole number, 1 or more"):
            Pages(Listing([]), Listing([]).describe(), concurrency=concurrency)
        with pytest.raises(ArgumentError, match="concurrency must be a whole number, 1 or more"):
            AsyncPages(lambda _: None, Listing([]).describe(), concurrency=concurrency)  # type: ignore[arg-type]


def test_the_memory_for_ids_is_bounded() -> None:
    """The last ids are remembered, not all of them."""
    seen = Recent()

    assert all(seen.is_new(number) for number in range(3 * REMEMBERED))
    assert not any(seen.is_new(number) for number in range(2 * REMEMBERED, 3 * REMEMBERED))
    assert len(seen._younger) + len(seen._older) <= 2 * REMEMBERED
    assert seen.is_new(0)
