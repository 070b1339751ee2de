"""Iterators over listings: by page, or over the items of all pages.

`_paging/walk` decides what to fetch and yield; `_paging/fetch` fetches it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from redcore._base.operation import AsyncExecute, Execute
from redcore._base.public import public
from redcore._paging.fetch import AsyncFetcher, Describe, Fetcher
from redcore._paging.walk import Walk
from redcore._spec.models import Page
from redcore.exceptions import ArgumentError

T = TypeVar("T")


class _Progress(Generic[T]):
    """Progress of an iteration."""

    def __init__(self, walk: Walk[T]) -> None:
        self._walk = walk
        self._offset = walk.offset

    @property
    def offset(self) -> int:
        """The offset after the last item yielded; `list_all(offset=...)` continues from there."""
        return min(self._offset, self._walk.offset)  # the walk may have stepped back since then

    @property
    def total(self) -> int | None:
        """Number of items in the listing, from the latest page; None before the first page."""
        return self._walk.total

    @property
    def changed(self) -> bool:
        """Whether the listing changed during the iteration: its total changed, or duplicates were seen and dropped."""
        return self._walk.changed

    def __repr__(self) -> str:
        of = "" if self.total is None else f" of {self.total}"
        return f"<{type(self).__name__} at offset {self.offset}{of}>"


@public
class Pages(Generic[T]):
    """The pages of a listing; each new iteration starts from the beginning."""

    def __init__(
        self,
        execute: Execute,
        describe: Describe,
        *,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
    ) -> None:
        self._execute = execute
        self._describe = describe
        self._concurrency = checked_number("concurrency", concurrency, 1)
        self._offset = checked_number("offset", offset, 0)
        self._cursor = checked_cursor(cursor, concurrency, offset)

    def __repr__(self) -> str:
        return f"<Pages from offset {self._offset}, concurrency {self._concurrency}>"

    def __iter__(self) -> PageIterator[T]:
        """The pages that have items, in order."""
        return PageIterator(self._fetcher())

    def iter_items(self) -> ItemIterator[T]:
        """The items of all pages, in order."""
        return ItemIterator(self._fetcher())

    def _fetcher(self) -> Fetcher[T]:
        walk = Walk[T](self._offset, self._cursor, by_cursor=self._concurrency == 1)
        return Fetcher(self._execute, self._describe, walk, self._concurrency)


@public
class PageIterator(_Progress[T], Iterator[Page[T]]):
    """Yields the non-empty pages in order; continuing after an error retries the page that failed.

    Threads may share it: each page goes to one of them.
    """

    def __init__(self, fetcher: Fetcher[T]) -> None:
        super().__init__(fetcher.walk)
        self._fetcher = fetcher

    def __next__(self) -> Page[T]:
        with self._fetcher.lock:
            given = self._fetcher.advance()
            if given is None:
                raise StopIteration
            self._offset = given.ends[-1]
            return given.page

    def close(self) -> None:
        """Stop fetching, without waiting for pages in flight. Not needed after the end of the listing."""
        self._fetcher.close()


@public
class ItemIterator(_Progress[T], Iterator[T]):
    """Yields the items of all pages in order; continuing after an error retries the page that failed.

    Threads may share it: each item goes to one of them.
    """

    def __init__(self, fetcher: Fetcher[T]) -> None:
        super().__init__(fetcher.walk)
        self._fetcher = fetcher
        self._page: Iterator[tuple[T, int]] = iter(())

    def __next__(self) -> T:
        while (found := next(self._page, None)) is None:
            with self._fetcher.lock:
                if (found := next(self._page, None)) is not None:  # from a page that another thread has fetched
                    break
                given = self._fetcher.advance()
                if given is None:
                    raise StopIteration
                self._page = zip(given.page.data, given.ends, strict=True)
        item, self._offset = found
        return item

    def close(self) -> None:
        """Stop fetching, without waiting for pages in flight. Not needed after the end of the listing."""
        self._page = iter(())
        self._fetcher.close()


@public
class AsyncPages(Generic[T]):
    """The pages of a listing, for `async for`; each new iteration starts from the beginning."""

    def __init__(
        self,
        execute: AsyncExecute,
        describe: Describe,
        *,
        concurrency: int = 1,
        offset: int = 0,
        cursor: str | None = None,
    ) -> None:
        self._execute = execute
        self._describe = describe
        self._concurrency = checked_number("concurrency", concurrency, 1)
        self._offset = checked_number("offset", offset, 0)
        self._cursor = checked_cursor(cursor, concurrency, offset)

    def __repr__(self) -> str:
        return f"<AsyncPages from offset {self._offset}, concurrency {self._concurrency}>"

    def __aiter__(self) -> AsyncPageIterator[T]:
        """The pages that have items, in order."""
        return AsyncPageIterator(self._fetcher())

    def iter_items(self) -> AsyncItemIterator[T]:
        """The items of all pages, in order."""
        return AsyncItemIterator(self._fetcher())

    def _fetcher(self) -> AsyncFetcher[T]:
        walk = Walk[T](self._offset, self._cursor, by_cursor=self._concurrency == 1)
        return AsyncFetcher(self._execute, self._describe, walk, self._concurrency)


@public
class AsyncPageIterator(_Progress[T], AsyncIterator[Page[T]]):
    """Like `PageIterator`, for `async for`; the iteration can be abandoned at any time without closing it."""

    def __init__(self, fetcher: AsyncFetcher[T]) -> None:
        super().__init__(fetcher.walk)
        self._fetcher = fetcher

    async def __anext__(self) -> Page[T]:
        async with self._fetcher.lock:
            given = await self._fetcher.advance()
            if given is None:
                raise StopAsyncIteration
            self._offset = given.ends[-1]
            return given.page


@public
class AsyncItemIterator(_Progress[T], AsyncIterator[T]):
    """Like `ItemIterator`, for `async for`; the iteration can be abandoned at any time without closing it."""

    def __init__(self, fetcher: AsyncFetcher[T]) -> None:
        super().__init__(fetcher.walk)
        self._fetcher = fetcher
        self._page: Iterator[tuple[T, int]] = iter(())

    async def __anext__(self) -> T:
        while (found := next(self._page, None)) is None:
            async with self._fetcher.lock:
                if (found := next(self._page, None)) is not None:  # from a page that another task has fetched
                    break
                given = await self._fetcher.advance()
                if given is None:
                    raise StopAsyncIteration
                self._page = zip(given.page.data, given.ends, strict=True)
        item, self._offset = found
        return item


def checked_number(name: str, value: object, smallest: int) -> int:
    """Check a number of pages or items.

    Raises:
        ArgumentError: it is not a whole number, or too small.
    """
    if not isinstance(value, int) or value < smallest:
        raise ArgumentError(f"{name} must be a whole number, {smallest} or more, not {value!r}")
    return value


def checked_cursor(cursor: str | None, concurrency: int, offset: int) -> str | None:
    """Check the cursor to start after.

    Raises:
        ArgumentError: it is combined with an argument that needs offsets.
    """
    if cursor is not None and (offset or concurrency > 1):
        raise ArgumentError("a walk from a cursor has no offset and fetches one page at a time: leave both out")
    return cursor
