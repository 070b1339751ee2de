"""Fetches the pages of a walk, each when it is reached or some of them ahead; one class for each colour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from redcore._base.operation import AsyncExecute, Execute, Operation
from redcore._paging.walk import Given, Walk
from redcore._spec.models import Page

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")
Describe = Callable[..., Operation[Page[T]]]
STRETCH = 4  # pages for each task in one go; between two goes the connections idle for as long as it takes to decode


class Fetcher(Generic[T]):
    """Fetches in threads, if ahead: `concurrency` pages are under way or wait to be given out.

    The threads end with the last page, when it is closed, or when nothing refers to it any more.
    """

    def __init__(self, execute: Execute, describe: Describe[T], walk: Walk[T], concurrency: int) -> None:
        self._execute = execute
        self._describe = describe
        self._concurrency = concurrency
        self._threads: ThreadPoolExecutor | None = None
        self._under_way: dict[int, Future[Page[T]]] = {}
        self.walk = walk

    def advance(self) -> Given[T] | None:
        """What the walk gives out next; None at the end of the listing."""
        while not self.walk.done:
            given = self.walk.take(self._page())
            if given is not None:
                return given
        self.close()
        return None

    def close(self) -> None:
        """Give out no more, and let the threads end; pages under way are not waited for."""
        self.walk.done = True
        self._under_way.clear()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _page(self) -> Page[T]:
        """The page that the walk has come to."""
        if self._concurrency == 1:
            return self._execute(self._describe(offset=self.walk.offset))
        wanted = self.walk.wanted(self._concurrency)
        self._under_way = {offset: self._under_way.get(offset) or self._start(offset) for offset in wanted}
        return self._under_way.pop(wanted[0]).result()

    def _start(self, offset: int) -> Future[Page[T]]:
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (only walks ahead need it)

            self._threads = ThreadPoolExecutor(self._concurrency, "redcore-pages")
        # A copy for each: a call in a thread belongs to the trace of the one who iterates.
        return self._threads.submit(copy_context().run, self._execute, self._describe(offset=offset))


class AsyncFetcher(Generic[T]):
    """Fetches in tasks, if ahead: `concurrency` pages at a time, a stretch of pages in one go.

    No task outlives `advance`: an iteration that is left early, or cancelled, has nothing to clean up, on any loop.
    """

    def __init__(self, execute: AsyncExecute, describe: Describe[T], walk: Walk[T], concurrency: int) -> None:
        self._execute = execute
        self._describe = describe
        self._concurrency = concurrency
        self._fetched: dict[int, Page[T] | Exception] = {}
        self.walk = walk

    async def advance(self) -> Given[T] | None:
        """What the walk gives out next; None at the end of the listing."""
        while not self.walk.done:
            given = self.walk.take(await self._page())
            if given is not None:
                return given
        return None

    async def _page(self) -> Page[T]:
        """The page that the walk has come to."""
        if self._concurrency == 1:
            return await self._execute(self._describe(offset=self.walk.offset))
        if self.walk.offset not in self._fetched:
            await self._fetch_stretch()
        fetched = self._fetched.pop(self.walk.offset)
        if isinstance(fetched, Exception):
            raise fetched
        return fetched

    async def _fetch_stretch(self) -> None:
        """Fetch the next pages, all of them before any is given out."""
        from anyio import create_task_group  # noqa: PLC0415 (only walks ahead need it)

        self._fetched = {}
        offsets = deque(self.walk.wanted(self._concurrency * STRETCH))
        async with create_task_group() as group:
            for _ in range(min(self._concurrency, len(offsets))):
                group.start_soon(self._work_off, offsets)

    async def _work_off(self, offsets: deque[int]) -> None:
        """Fetch one page after the other; an error is kept until the iteration meets it, and ends the stretch."""
        while offsets:
            offset = offsets.popleft()
            try:
                page = await self._execute(self._describe(offset=offset))
                self._fetched[offset] = page
            except Exception as error:  # noqa: BLE001 (raised when it is this page's turn)
                self._fetched[offset] = error
                offsets.clear()
