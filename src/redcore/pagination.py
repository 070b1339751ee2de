"""Walks a listing: pages, or the items of all pages, fetched as they are reached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeVar

from redcore._generated.models import Page
from redcore._operation import AsyncExecute, Execute, Operation

T = TypeVar("T")
Describe = Callable[..., Operation[Page[T]]]


class Pages(Generic[T]):
    """The pages of a listing; iterating it again starts again."""

    def __init__(self, execute: Execute, describe: Describe[T]) -> None:
        self._execute = execute
        self._describe = describe

    def __iter__(self) -> Iterator[Page[T]]:
        """The pages that have items, in order."""
        offset = 0
        while True:
            page = self._execute(self._describe(offset=offset))
            if page.data:
                yield page
            offset += len(page.data)
            if not page.data or offset >= page.meta.total:
                return

    def items(self) -> Iterator[T]:
        """The items of all pages, in order."""
        for page in self:
            yield from page


class AsyncPages(Generic[T]):
    """The pages of a listing, for `async for`; iterating it again starts again."""

    def __init__(self, execute: AsyncExecute, describe: Describe[T]) -> None:
        self._execute = execute
        self._describe = describe

    async def __aiter__(self) -> AsyncIterator[Page[T]]:
        """The pages that have items, in order."""
        offset = 0
        while True:
            page = await self._execute(self._describe(offset=offset))
            if page.data:
                yield page
            offset += len(page.data)
            if not page.data or offset >= page.meta.total:
                return

    async def items(self) -> AsyncIterator[T]:
        """The items of all pages, in order."""
        async for page in self:
            for item in page:
                yield item
