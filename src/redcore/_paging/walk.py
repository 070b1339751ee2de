"""How a listing is walked: which pages to fetch, and what to give out of them. Performs no I/O.

One page after another is reached by the cursor of the page before, where the server gives one: whatever is created or
deleted meanwhile, each item that stays comes once. docs/adr/0056-walking-by-cursor.md

Pages ahead, and those of a server without cursors, are reached by offset.
An offset counts items, so a listing that changes meanwhile shifts under the walk. New items come first (the newest is
at the top) and push others down: those appear again and are dropped by their ids. Deleted ones pull others up, past the
place where the walk is: it steps back by as many as the total shrank. docs/adr/0024-walking-a-listing.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import attrs

from redcore._base.log import logger
from redcore._spec.models import CursorPage, ListMeta, Page

T = TypeVar("T")
REMEMBERED = 10_000  # ids; so many items may be created between two pages before one of them is given out twice


class Recent:
    """The ids of the last items, at least 10,000 of them and never more than twice as many."""

    def __init__(self) -> None:
        self._younger: set[object] = set()
        self._older: set[object] = set()

    def is_new(self, key: object) -> bool:
        """Whether an id has not been seen of late; from now on it has."""
        if key in self._younger or key in self._older:
            return False
        if len(self._younger) >= REMEMBERED:
            self._younger, self._older = set(), self._younger
        self._younger.add(key)
        return True


@attrs.frozen
class Given(Generic[T]):
    """What is given out of one page."""

    page: Page[T]
    ends: Sequence[int]
    """For each item, the offset that follows it in the listing."""


class Walk(Generic[T]):
    """One walk from an offset or a cursor to the end of a listing."""

    def __init__(self, offset: int, cursor: str | None = None, *, by_cursor: bool = True) -> None:
        self.offset: int = offset
        """Where the next page begins."""
        self.cursor: str | None = cursor
        """Where the next page begins, if it is reached by cursor."""
        self.total: int | None = None
        """Items of the whole listing, as the last page told; None before the first."""
        self.changed: bool = False
        """Whether the listing was seen to change."""
        self.done: bool = False
        """Whether the end has been reached."""
        self._by_cursor = by_cursor
        self._start = offset
        self._width: int | None = None
        self._seen = Recent()
        self._lowest: int | None = None
        self._has_new = False

    def place(self) -> dict[str, Any]:
        """The parameters that ask for the next page.

        The first page is counted, and the one that should be the last: what differs between the two has changed.
        """
        if self.cursor is None:
            return {"offset": self.offset}
        if self.total is None or self._width is None or self.offset + self._width >= self.total:
            return {"cursor": self.cursor, "include_total": True}
        return {"cursor": self.cursor}

    def wanted(self, ahead: int) -> list[int]:
        """The offsets of the next pages: the first alone, as it tells how long pages and listing are.

        Args:
            ahead: How many at most.
        """
        if self._width is None or self.total is None:
            return [self.offset]
        stop = min(self.total, self.offset + ahead * self._width)
        return list(range(self.offset, stop, self._width))

    def take(self, page: Page[T] | CursorPage[T]) -> Given[T] | None:
        """Go on with the page that `place` asked for.

        Returns:
            What of it is to be given out; None if nothing is.
        """
        if isinstance(page, CursorPage):
            return self._take_behind(page)
        if self._step_back(page.meta.total):
            return None
        begin, size = self.offset, len(page.data)
        self.offset += size
        self.done = size == 0 or self.offset >= page.meta.total
        self._width = size  # what the server gives, not what it was asked for: it may give fewer
        if self._by_cursor and size:
            self.cursor = page.meta.next_cursor
        return self._new(page, range(begin + 1, self.offset + 1))

    def _take_behind(self, page: CursorPage[T]) -> Given[T] | None:
        """Go on with a page that was reached by cursor."""
        self._compare(page.meta.total, page.meta.offset)
        begin, size = self.offset, len(page.data)
        self.offset += size
        self._width = self._width or size
        given = self._new(self._counted(page, begin), range(begin + 1, self.offset + 1))
        self.done = not page.meta.next_cursor
        if size and given is None:  # cursors that lead in a circle lead nowhere: the walk goes on by offset
            self._by_cursor, self.offset = False, begin
        self.cursor = page.meta.next_cursor if self._by_cursor else None
        if self.done and self.total is not None and self.offset != self.total:
            self._has_changed(f"its total was {self.total}, and {self.offset} items came")
        return given

    def _compare(self, total: int | None, offset: int | None) -> None:
        """Take over what a page that was counted says of the listing."""
        if total is None or offset is None:
            return
        if self.total is not None and total != self.total:
            self._has_changed(f"its total was {self.total} and is {total}")
        self.total, self.offset = total, offset

    def _counted(self, page: CursorPage[T], begin: int) -> Page[T]:
        """The page as one that was reached by offset; its total is the last that the server counted."""
        told = page.meta
        meta = ListMeta(
            request_id=told.request_id,
            version=told.version,
            total=self.offset if self.total is None else self.total,
            limit=told.limit,
            offset=begin,
            next_cursor=told.next_cursor,
        )
        return Page(data=page.data, meta=meta)

    def _step_back(self, total: int) -> bool:
        """Go back to where an item may have moved to, if the listing has shrunk since the page before."""
        before, lowest = self.total, self._lowest
        self.total = total
        self._lowest = total if lowest is None else min(total, lowest)
        if before is None or lowest is None or before == total:
            return False
        self._has_changed(f"its total was {before} and is {total}")
        # Each step back has its own new item or its own lower total, so that a walk ends whatever the totals are.
        if before < total or not (self._has_new or total < lowest):
            return False
        self.offset = max(self._start, self.offset - (before - total))
        self.done = self.offset >= total
        self._has_new = False
        return True

    def _new(self, page: Page[T], ends: Sequence[int]) -> Given[T] | None:
        """The page without the items that were given out before."""
        kept = [index for index, item in enumerate(page.data) if self._is_new(item)]
        if len(kept) < len(page.data):
            self._has_changed("items came again")
        if not kept:
            return None
        self._has_new = True
        if len(kept) == len(page.data):
            return Given(page, ends)
        data = tuple(page.data[index] for index in kept)
        return Given(attrs.evolve(page, data=data), [ends[index] for index in kept])

    def _has_changed(self, how: str) -> None:
        if not self.changed:
            logger.warning("a listing changed while it was walked: %s", how)
        self.changed = True

    def _is_new(self, item: Any) -> bool:
        """Whether an item was not given out before; one without an id always is."""
        key = getattr(item, "id", None)
        return key is None or self._seen.is_new(key)
