"""Fetches the pages of a walk, each when it is reached or some of them ahead; one class for each colour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from weakref import finalize

from redcore._base.abandoned import abandoned
from redcore._base.operation import AsyncExecute, Execute, Operation
from redcore._paging.walk import Given, Walk
from redcore._spec.models import CursorPage, Page

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
Describe: TypeAlias = Callable[..., Operation[Any]]
STRETCH = 4  # pages for each task in one go; between two goes the connections idle for as long as it takes to decode


class Fetcher(Generic[T]):
    """Fetches in threads, if ahead: `concurrency` pages are under way or wait to be given out.

    A thread ends with its page; when the walk is closed, interrupted or forgotten, also in the midst of a wait. The
    end of the process waits for none of them.
    """

    def __init__(self, execute: Execute, describe: Describe, walk: Walk[T], concurrency: int) -> None:
        self._execute = execute
        self._describe = describe
        self._concurrency = concurrency
        self._under_way: dict[int, Future[Page[T]]] = {}
        self._abandon: Callable[[], object] = do_nothing
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
        self._let_go()

    def _let_go(self) -> None:
        """Do without the pages under way."""
        self._under_way.clear()
        self._abandon()
        self._abandon = do_nothing

    def _page(self) -> Page[T] | CursorPage[T]:
        """The page that the walk has come to."""
        if self._concurrency == 1:
            page: Page[T] | CursorPage[T] = self._execute(self._describe(**self.walk.place()))
            return page
        wanted = self.walk.wanted(self._concurrency)
        try:
            self._under_way = {offset: self._under_way.get(offset) or self._start(offset) for offset in wanted}
            return self._under_way.pop(wanted[0]).result()
        except Exception:
            raise
        except BaseException:  # Ctrl-C: the walk may go on, with threads of its own
            self._let_go()
            raise

    def _start(self, offset: int) -> Future[Page[T]]:
        from concurrent.futures import Future  # noqa: PLC0415 (only walks ahead need it)

        future: Future[Page[T]] = Future()
        # A copy for each: a call in a thread belongs to the trace of the one who iterates.
        context = copy_context()
        context.run(abandoned.set, self._event())
        work = partial(fulfil, future, self._execute, self._describe(offset=offset))
        try:
            Thread(target=context.run, args=[work], name="redcore-pages", daemon=True).start()
        except RuntimeError:  # no thread can be started, as at the end of the process
            context.run(work)
        return future

    def _event(self) -> Event:
        """What is set when the pages under way are abandoned, or this fetcher is forgotten."""
        if self._abandon is do_nothing:
            self._left = Event()
            self._abandon = finalize(self, self._left.set)
        return self._left


def do_nothing() -> None:
    """There are no threads to end."""


def fulfil(future: Future[Page[T]], execute: Execute, operation: Operation[Page[T]]) -> None:
    """Fetch a page; whatever that raises is the future's."""
    try:
        future.set_result(execute(operation))
    except BaseException as error:  # noqa: BLE001 (raised where the page is waited for)
        future.set_exception(error)


class AsyncFetcher(Generic[T]):
    """Fetches in tasks, if ahead: `concurrency` pages at a time, a stretch of pages in one go.

    No task outlives `advance`: an iteration that is left early, or cancelled, has nothing to clean up, on any loop.
    """

    def __init__(self, execute: AsyncExecute, describe: Describe, walk: Walk[T], concurrency: int) -> None:
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

    async def _page(self) -> Page[T] | CursorPage[T]:
        """The page that the walk has come to."""
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
