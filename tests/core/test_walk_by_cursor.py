"""Walks by cursor: what a page names is what is asked for next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from tests.core.listing import CursorListing, Item, create, delete, ids, pages

from redcore import ArgumentError, CursorMeta, CursorPage, ItemIterator, NetworkError, Pages


class TestByCursor:
    def test_each_page_follows_the_cursor_of_the_previous_one(self) -> None:
        """The first page is counted, and the one that should be the last."""
        listing = CursorListing(range(7))

        assert ids(pages(listing).iter_items()) == list(range(7))
        assert listing.places == [{}, {"cursor": "2"}, {"cursor": "5", "include_total": True}]

    def test_pages_say_where_they_are(self) -> None:
        """Its pages have a total and an offset as those by offset do, and the cursor of the next page."""
        walk = pages(CursorListing(range(7)))

        places = [(page.meta.offset, page.meta.total, page.meta.next_cursor) for page in walk]

        assert places == [(0, 7, "2"), (3, 7, "5"), (6, 7, None)]

    def test_a_walk_resumes_from_a_cursor(self) -> None:
        """It yields the items after the cursor, and knows the offset and the total."""
        walk = pages(CursorListing(range(7)), cursor="2").iter_items()

        assert [(item.id, walk.offset, walk.total) for item in walk] == [(3, 4, 7), (4, 5, 7), (5, 6, 7), (6, 7, 7)]
        assert not walk.changed

    @pytest.mark.parametrize("change", [delete(0, 1), delete(7, 8), create(-2, -1)])
    def test_a_change_is_noticed_and_shifts_nothing(self, change: Callable[[list[int]], None]) -> None:
        """An item that stays is yielded once, and no page is fetched again."""
        listing = CursorListing(range(9), changes=[change])
        walk = pages(listing).iter_items()

        found = ids(walk)

        assert [number for number in listing.ids if number >= 3] == found[3:]
        assert len(listing.places) <= 3
        assert walk.changed

    def test_prefetched_pages_go_by_offset(self) -> None:
        """A cursor is known only after the previous page has arrived."""
        listing = CursorListing(range(7))

        assert ids(pages(listing, concurrency=3).iter_items()) == list(range(7))
        assert sorted(place.get("offset", 0) for place in listing.places) == [0, 3, 6]

    def test_a_failed_page_is_requested_again(self) -> None:
        """By the same cursor."""
        listing = CursorListing(range(7))
        failing = iter([False, True])

        def execute(operation: Any) -> Any:
            if next(failing, False):
                raise NetworkError("reset")
            return listing(operation)

        walk: ItemIterator[Item] = Pages(execute, listing.describe(3)).iter_items()
        begun = [next(walk).id for _ in range(3)]
        with pytest.raises(NetworkError):
            next(walk)

        assert begun + ids(walk) == list(range(7))

    def test_a_cursor_that_leads_to_itself(self) -> None:
        """The walk continues by offset, and ends."""
        listing = CursorListing(range(9))

        def stuck(operation: Any) -> Any:
            page = listing(operation)
            object.__setattr__(page.meta, "next_cursor", "2")
            return page

        walk: ItemIterator[Item] = Pages(stuck, listing.describe(3)).iter_items()

        assert ids(walk) == list(range(9))

    def test_cursors_that_lead_in_a_circle(self) -> None:
        """The walk continues by offset when a page has only repeated items."""
        listing = CursorListing(range(30))

        def circle(operation: Any) -> Any:
            page = listing(operation)
            object.__setattr__(page.meta, "next_cursor", "5" if page.data[0].id == 3 else "2")
            return page

        walk: ItemIterator[Item] = Pages(circle, listing.describe(3)).iter_items()

        assert sorted(ids(walk)) == list(range(30))
        assert len(listing.places) < 30

    @pytest.mark.parametrize("empty", [0, 1, 2])
    def test_a_page_without_items_is_not_the_end(self, empty: int) -> None:
        """As long as it has a cursor, as where a server filters what it has read."""
        listing = CursorListing(range(7))

        def sparse(operation: Any) -> Any:
            page = listing(operation)
            if len(listing.places) != empty + 1:
                return page
            following = attrs.evolve(page.meta, next_cursor=operation.query["cursor"] or "-1")
            return attrs.evolve(page, data=(), meta=following)

        walk: ItemIterator[Item] = Pages(sparse, listing.describe(3)).iter_items()

        assert ids(walk) == list(range(7))

    def test_pages_without_items_whose_cursors_never_repeat(self) -> None:
        """After a hundred of them the walk continues by offset, and ends."""
        listing = CursorListing(range(9))

        def endless(operation: Any) -> Any:
            if operation.query["cursor"] is None:
                return listing(operation)
            listing.places.append({"cursor": operation.query["cursor"]})
            cursor = str(len(listing.places))
            return CursorPage(data=(), meta=CursorMeta(request_id="r", version="1", limit=3, next_cursor=cursor))

        walk: ItemIterator[Item] = Pages(endless, listing.describe(3)).iter_items()

        assert ids(walk) == list(range(9))
        assert len([place for place in listing.places if "cursor" in place]) == 101

    @pytest.mark.parametrize("circle", [{"2": "2"}, {"2": "5", "5": "2"}])
    def test_pages_without_items_that_lead_in_a_circle(self, circle: dict[str, str]) -> None:
        """The walk goes on by offset, and ends."""
        listing = CursorListing(range(9))

        def empty(operation: Any) -> Any:
            page = listing(operation)
            cursor = operation.query["cursor"]
            if cursor is None:
                return page
            return attrs.evolve(page, data=(), meta=attrs.evolve(page.meta, next_cursor=circle[cursor]))

        walk: ItemIterator[Item] = Pages(empty, listing.describe(3)).iter_items()

        assert ids(walk) == list(range(9))
        assert len(listing.places) < 9

    @pytest.mark.parametrize("options", [{"offset": 1}, {"concurrency": 2}])
    def test_options_that_exclude_a_cursor(self, options: dict[str, int]) -> None:
        """A walk that needs offsets takes no cursor."""
        with pytest.raises(ArgumentError, match="a walk from a cursor"):
            pages(CursorListing(range(7)), cursor="2", **options)
