"""Walks a listing: decides which pages to fetch, and which items to yield. Performs no I/O.

Pages are fetched one after another by the cursor of the previous page, if the server returns one: every item that stays
is then yielded exactly once, whatever is created or deleted in between. docs/adr/0056-walking-by-cursor.md

Pages that are fetched ahead, and pages of a server without cursors, are requested by offset.
An offset counts items, so a listing that changes shifts during the walk. New items come first (the newest is at the
top) and push others down: these appear again and are dropped by their ids. Deleted items pull others up, past the
position of the walk: it steps back by as many as the total shrank. docs/adr/0024-walking-a-listing.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import attrs

from redcore._base.log import logger
from redcore._spec.models import CursorPage, ListMeta, Page

T = TypeVar("T")
REMEMBERED = 10_000  # ids; this many items may be created between two pages before an item is yielded twice
EMPTY_PAGES = 100  # in a row: more than a server leaves that filters what it has read, and no walk without an end


class Recent:
    """The ids of the latest items: at least 10,000, and never more than twice as many."""

    def __init__(self) -> None:
        self._younger: set[object] = set()
        self._older: set[object] = set()

    def is_new(self, key: object) -> bool:
        """Add an id; returns whether it was not among the latest ids."""
        if key in self._younger or key in self._older:
            return False
        if len(self._younger) >= REMEMBERED:
            self._younger, self._older = set(), self._younger
        self._younger.add(key)
        return True


@attrs.frozen
class NewItems(Generic[T]):
    """The items to yield from one page."""

    page: Page[T]
    ends: Sequence[int]
    """For each item, the offset after it in the listing."""


class Walk(Generic[T]):
    """One walk from an offset or a cursor to the end of a listing."""

    def __init__(self, offset: int, cursor: str | None = None, *, by_cursor: bool = True) -> None:
        self.offset: int = offset
        """Where the next page begins."""
        self.cursor: str | None = cursor
        """Where the next page begins, if it is reached by cursor."""
        self.total: int | None = None
        """Number of items in the whole listing, from the latest page; None before the first page."""
        self.changed: bool = False
        """Whether the listing changed during the walk."""
        self.done: bool = False
        """Whether the end has been reached."""
        self._by_cursor = by_cursor
        self._start = offset
        self._width: int | None = None
        self._seen = Recent()
        self._led_nowhere: set[str | None] = set()  # cursors of the latest pages, as long as these have no items
        self._lowest: int | None = None
        self._has_new = False

    def place(self) -> dict[str, Any]:
        """The query parameters of the next page.

        Only the first page and the expected last page request the total: a difference shows that the listing changed.
        """
        if self.cursor is None:
            return {"offset": self.offset}
        if self.total is None or self._width is None or self.offset + self._width >= self.total:
            return {"cursor": self.cursor, "include_total": True}
        return {"cursor": self.cursor}

    def wanted(self, ahead: int) -> list[int]:
        """The offsets of the next pages; only one for the first page, which reveals the page size and the total.

        Args:
            ahead: Maximum number of pages.
        """
        if self._width is None or self.total is None:
            return [self.offset]
        stop = min(self.total, self.offset + ahead * self._width)
        return list(range(self.offset, stop, self._width))

    def take(self, page: Page[T] | CursorPage[T]) -> NewItems[T] | None:
        """Process the page that `place` requested.

        Returns:
            The items to yield; None if there are none.
        """
        if isinstance(page, CursorPage):
            return self._take_behind(page)
        if self._step_back(page.meta.total):
            return None
        begin, size = self.offset, len(page.data)
        self.offset += size
        self._width = size  # the actual page size, as the server may return fewer items than requested
        self.cursor = page.meta.next_cursor if self._by_cursor else None
        self.done = not self.cursor and (size == 0 or self.offset >= page.meta.total)
        return self._new(page, range(begin + 1, self.offset + 1))

    def _take_behind(self, page: CursorPage[T]) -> NewItems[T] | None:
        """Process a page that was fetched by cursor."""
        self._compare(page.meta.total, page.meta.offset)
        begin, size = self.offset, len(page.data)
        self.offset += size
        self._width = self._width or size
        given = self._new(self._counted(page, begin), range(begin + 1, self.offset + 1))
        self.done = not page.meta.next_cursor
        if given is not None:
            self._led_nowhere.clear()
        elif size or self._is_going_nowhere(page.meta.next_cursor):  # such cursors may never end: go by offset
            self._by_cursor, self.offset = False, begin
        else:
            self._led_nowhere.add(page.meta.next_cursor)
        self.cursor = page.meta.next_cursor if self._by_cursor else None
        if self.done and self.total is not None and self.offset != self.total:
            self._has_changed(f"its total was {self.total}, and {self.offset} items came")
        return given

    def _is_going_nowhere(self, cursor: str | None) -> bool:
        """Whether the cursors of pages without items form a cycle, or are too many."""
        return cursor in self._led_nowhere or len(self._led_nowhere) >= EMPTY_PAGES

    def _compare(self, total: int | None, offset: int | None) -> None:
        """Update the totals from a page with a count."""
        if total is None or offset is None:
            return
        if self.total is not None and total != self.total:
            self._has_changed(f"its total was {self.total} and is {total}")
        self.total, self.offset = total, offset

    def _counted(self, page: CursorPage[T], begin: int) -> Page[T]:
        """Convert a cursor page to an offset page, with the latest known total."""
        fetched = page.meta
        meta = ListMeta(
            request_id=fetched.request_id,
            version=fetched.version,
            total=self.offset if self.total is None else self.total,
            limit=fetched.limit,
            offset=begin,
            next_cursor=fetched.next_cursor,
        )
        return Page(data=page.data, meta=meta)

    def _step_back(self, total: int) -> bool:
        """Step back to where items may have moved, if the listing has shrunk since the previous page."""
        before, lowest = self.total, self._lowest
        self.total = total
        self._lowest = total if lowest is None else min(total, lowest)
        if before is None or lowest is None or before == total:
            return False
        self._has_changed(f"its total was {before} and is {total}")
        # Each step back requires a new item or a lower total, so that a walk ends for any sequence of totals.
        if before < total or not (self._has_new or total < lowest):
            return False
        self.offset = max(self._start, self.offset - (before - total))
        self.done = self.offset >= total
        self._has_new = False
        return True

    def _new(self, page: Page[T], ends: Sequence[int]) -> NewItems[T] | None:
        """The page without items that were already yielded."""
        kept = [index for index, item in enumerate(page.data) if self._is_new(item)]
        if len(kept) < len(page.data):
            self._has_changed("items came again")
        if not kept:
            return None
        self._has_new = True
        if len(kept) == len(page.data):
            return NewItems(page, ends)
        data = tuple(page.data[index] for index in kept)
        return NewItems(attrs.evolve(page, data=data), [ends[index] for index in kept])

    def _has_changed(self, how: str) -> None:
        if not self.changed:
            logger.warning("a listing changed while it was walked: %s", how)
        self.changed = True

    def _is_new(self, item: Any) -> bool:
        """Whether an item was not yielded before; always True for an item without an id."""
        key = getattr(item, "id", None)
        return key is None or self._seen.is_new(key)
