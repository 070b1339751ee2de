"""A listing whose pages can be fetched, and which changes as a script says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from redcore import ListMeta, Page
from redcore._base.operation import Operation
from redcore._spec import operations


@attrs.frozen
class Item:
    """Something that is listed."""

    id: int


class Listing:
    """Items, the newest first; before each page but the first the next change of the script happens."""

    def __init__(
        self, items: Iterable[int], *, most: int = 100, changes: Iterable[Callable[[list[int]], object]] = ()
    ) -> None:
        self.ids = list(items)
        self.asked: list[tuple[int, int]] = []
        self._most = most
        self._lock = threading.Lock()
        self._changes: Iterator[Callable[[list[int]], object]] = iter(changes)

    def describe(self, page_size: int = 100) -> Callable[..., Operation[Any]]:
        """What makes the operations of a walk."""
        return lambda *, offset: operations.users_list(limit=page_size, offset=offset)

    def __call__(self, operation: Operation[Any], /) -> Any:
        """Give a page."""
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
