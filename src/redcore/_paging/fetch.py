"""Fetches the pages of a walk, on demand or ahead; one class for threads, one for tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import copy_context
from functools import partial
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from weakref import finalize

from redcore._base.abandoned import abandoned
from redcore._base.operation import AsyncExecute, Execute, Operation
from redcore._paging.walk import NewItems, Walk
from redcore._spec.models import CursorPage, Page

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
Describe: TypeAlias = Callable[..., Operation[Any]]
STRETCH = 4  # pages per task in one batch; between batches the connections are idle while pages are decoded


class Fetcher(Generic[T]):
    """Fetches ahead in threads: `concurrency` pages are in flight or wait to be yielded.

    A thread ends with its page, or in the middle of a wait if the walk is closed, interrupted or garbage-collected. The
    exit of the process does not wait for threads.

    Attributes:
        lock: Held by an iterator during `advance`, and until it has stored the result: threads may share an iterator.
    """

    def __init__(self, execute: Execute, describe: Describe, walk: Walk[T], concurrency: int) -> None:
        self._execute = execute
        self._describe = describe
        self._concurrency = concurrency
        self._under_way: dict[int, Future[Page[T]]] = {}
        self._abandon: Callable[[], object] = do_nothing
        self.lock: AbstractContextManager[object] = RLock()
        self.walk = walk

    def advance(self) -> NewItems[T] | None:
        """Return the next items to yield; None at the end of the listing."""
        while not self.walk.done:
            given = self.walk.take(self._page())
            if given is not None:
                return given
        self.close()
        return None

    def close(self) -> None:
        """Stop fetching and let the threads end, without waiting for pages in flight."""
        self.walk.done = True
        self._let_go()

    def _let_go(self) -> None:
        """Abandon the pages in flight."""
        self._under_way.clear()
        self._abandon()
        self._abandon = do_nothing

    def _page(self) -> Page[T] | CursorPage[T]:
        """Return the next page of the walk."""
        if self._concurrency == 1:
            page: Page[T] | CursorPage[T] = self._execute(self._describe(**self.walk.place()))
            return page
        wanted = self.walk.wanted(self._concurrency)
        try:
            self._under_way = {offset: self._under_way.get(offset) or self._start(offset) for offset in wanted}
            return self._under_way.pop(wanted[0]).result()
        except Exception:
            raise
        except BaseException:  # Ctrl-C: the walk may continue, with new threads
            self._let_go()
            raise

    def _start(self, offset: int) -> Future[Page[T]]:
        from concurrent.futures import Future  # noqa: PLC0415 (needed only to fetch ahead)

        future: Future[Page[T]] = Future()
        # A copy per thread, so that its call belongs to the trace of the iterating code.
        context = copy_context()
        context.run(abandoned.set, self._event())
        work = partial(fulfil, future, self._execute, self._describe(offset=offset))
        try:
            Thread(target=context.run, args=[work], name="redcore-pages", daemon=True).start()
        except RuntimeError:  # no thread can be started, as at interpreter shutdown
            context.run(work)
        return future

    def _event(self) -> Event:
        """The event that is set when the pages in flight are abandoned, or this fetcher is garbage-collected."""
        if self._abandon is do_nothing:
            self._left = Event()
            abandon = finalize(self, self._left.set)
            abandon.atexit = False  # an iteration in a daemon thread would raise, and the threads end with the process
            self._abandon = abandon
        return self._left


def do_nothing() -> None:
    """Used when there are no threads to end."""


def fulfil(future: Future[Page[T]], execute: Execute, operation: Operation[Page[T]]) -> None:
    """Fetch a page into a future, including any exception."""
    try:
        future.set_result(execute(operation))
    except BaseException as error:  # noqa: BLE001 (raised by the code that waits for the page)
        future.set_exception(error)


class AsyncFetcher(Generic[T]):
    """Fetches ahead in tasks: `concurrency` pages at a time, in batches.

    No task outlives `advance`: an iteration that is abandoned or cancelled needs no cleanup, in any event loop.

    Attributes:
        lock: As for `Fetcher`, among tasks.
    """

    def __init__(self, execute: AsyncExecute, describe: Describe, walk: Walk[T], concurrency: int) -> None:
        from anyio import Lock  # noqa: PLC0415 (anyio loads it on demand, and blocking code has no use for it)

        self._execute = execute
        self._describe = describe
        self._concurrency = concurrency
        self._fetched: dict[int, Page[T] | Exception] = {}
        self.lock: AbstractAsyncContextManager[object] = Lock(fast_acquire=True)
        self.walk = walk

    async def advance(self) -> NewItems[T] | None:
        """Return the next items to yield; None at the end of the listing."""
        while not self.walk.done:
            given = self.walk.take(await self._page())
            if given is not None:
                return given
        return None

    async def _page(self) -> Page[T] | CursorPage[T]:
        """Return the next page of the walk."""
        if self._concurrency == 1:
            page: Page[T] | CursorPage[T] = await self._execute(self._describe(**self.walk.place()))
            return page
        if self.walk.offset not in self._fetched:
            await self._fetch_stretch()
        fetched = self._fetched.pop(self.walk.offset)
        if isinstance(fetched, Exception):
            raise fetched
        return fetched

    async def _fetch_stretch(self) -> None:
        """Fetch the next batch of pages before any of them is yielded."""
        from anyio import create_task_group  # noqa: PLC0415 (needed only to fetch ahead)

        self._fetched = {}
        offsets = deque(self.walk.wanted(self._concurrency * STRETCH))
        async with create_task_group() as group:
            for _ in range(min(self._concurrency, len(offsets))):
                group.start_soon(self._work_off, offsets)

    async def _work_off(self, offsets: deque[int]) -> None:
        """Fetch pages one after another; an error ends the batch and is raised when the iteration reaches it."""
        while offsets:
            offset = offsets.popleft()
            try:
                page = await self._execute(self._describe(offset=offset))
                self._fetched[offset] = page
            except Exception as error:  # noqa: BLE001 (raised when the iteration reaches this page)
                self._fetched[offset] = error
                offsets.clear()
