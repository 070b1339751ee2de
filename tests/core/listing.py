"""A listing that can be fetched by page and changes as a script says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from redcore import CursorMeta, CursorPage, ItemIterator, ListMeta, Page, Pages
from redcore._base.operation import Operation
from redcore._spec import operations


@attrs.frozen
class Item:
    """An item of a listing."""

    id: int


class Listing:
    """Items, the newest first; the next change of the script happens before each page except the first."""

    def __init__(
        self, items: Iterable[int], *, most: int = 100, changes: Iterable[Callable[[list[int]], object]] = ()
    ) -> None:
        self.ids = list(items)
        self.asked: list[tuple[int, int]] = []
        self._most = most
        self._lock = threading.Lock()
        self._changes: Iterator[Callable[[list[int]], object]] = iter(changes)

    def describe(self, page_size: int = 100) -> Callable[..., Operation[Any]]:
        """Return the function that makes the operations of a walk."""
        return lambda *, offset: operations.users_list(limit=page_size, offset=offset)

    def __call__(self, operation: Operation[Any], /) -> Any:
        """Return a page."""
        with self._lock:
            return self._page(operation.query["limit"], operation.query["offset"])

    def _page(self, asked: int, offset: int) -> Page[Item]:
        if self.asked:
            next(self._changes, len)(self.ids)
        self.asked.append((asked, offset))
        limit = min(asked, self._most)
        data = tuple(Item(number) for number in self.ids[offset : offset + limit])
        meta = ListMeta(request_id="r", version="1", total=len(self.ids), limit=limit, offset=offset)
        return Page(data=data, meta=meta)


class CursorListing(Listing):
    """The same listing with cursors; `places` records what each page was requested by."""

    def __init__(self, items: Iterable[int], **options: Any) -> None:
        super().__init__(items, **options)
        self.places: list[dict[str, Any]] = []

    def describe(self, page_size: int = 100) -> Callable[..., Operation[Any]]:
        """Return the function that makes the operations of a walk."""

        def describe(**place: Any) -> Operation[Any]:
            return operations.users_list(limit=page_size, **place)

        return describe

    def __call__(self, operation: Operation[Any], /) -> Any:
        """Return a page."""
        query = operation.query
        self.places.append({name: query[name] for name in ("offset", "cursor", "include_total") if query[name]})
        if query["cursor"] is None:
            page = super().__call__(operation)
            cursor = self._next(page.data, query["limit"])
            return attrs.evolve(page, meta=attrs.evolve(page.meta, next_cursor=cursor))
        return self._behind(int(query["cursor"]), query["limit"], counts=bool(query["include_total"]))

    def _behind(self, place: int, limit: int, *, counts: bool) -> CursorPage[Item]:
        next(self._changes, len)(self.ids)
        data = tuple(Item(number) for number in self.ids if number > place)[:limit]
        before = sum(number <= place for number in self.ids)
        counted = {"total": len(self.ids), "offset": before} if counts else {}
        meta = CursorMeta(request_id="r", version="1", limit=limit, next_cursor=self._next(data, limit), **counted)
        return CursorPage(data=data, meta=meta)

    def _next(self, data: tuple[Item, ...], limit: int) -> str | None:
        is_last = len(data) < limit or data[-1].id == self.ids[-1]
        return None if is_last else str(data[-1].id)


def pages(listing: Listing, page_size: int = 3, **options: Any) -> Pages[Item]:
    """Return the pages of a listing."""
    return Pages(listing, listing.describe(page_size), **options)


def ids(walk: ItemIterator[Item]) -> list[int]:
    """Return the ids of all items of a walk."""
    return [item.id for item in walk]


def delete(*doomed: int) -> Callable[[list[int]], None]:
    """Make a change that deletes items."""

    def change(numbers: list[int]) -> None:
        numbers[:] = [number for number in numbers if number not in doomed]

    return change


def create(*new: int) -> Callable[[list[int]], None]:
    """Make a change that creates items."""

    def change(numbers: list[int]) -> None:
        numbers[:0] = new

    return change
