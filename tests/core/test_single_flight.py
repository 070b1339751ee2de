"""The lock that threads and tasks of any event loop share."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from functools import partial

import anyio
import anyio.lowlevel
import attrs
import pytest

from redcore._call.token_store import session_in
from redcore.exceptions import ConfigurationError, RedcoreError
from redcore.tokens import MemoryCache, TokenSet
from redcore.tokens.single_flight import Caller, SharedLock, Waiter

BOUND_S = 5.0  # of waits that end at once unless something is broken
BACKENDS = ["asyncio", "trio"]


@pytest.fixture
def lock() -> SharedLock:
    return SharedLock()


def waiters(lock: SharedLock) -> int:
    return len(lock._waiting)


def take_elsewhere(lock: SharedLock) -> None:
    """Take a lock as another thread would that continues without releasing it."""
    assert lock._claim(Waiter(Caller(thread=-1, task=None), lambda: None), waits=False)


def until(condition: Callable[[], object]) -> None:
    """Give other threads the time to reach a state."""
    turn = threading.Event()
    for _ in range(1000):
        if condition():
            return
        turn.wait(BOUND_S / 1000)
    raise AssertionError("it did not happen in time")


async def until_async(condition: Callable[[], object]) -> None:
    """Give other tasks the time to reach a state."""
    with anyio.fail_after(BOUND_S):
        while not condition():
            await anyio.lowlevel.checkpoint()


class TestThreads:
    def test_one_at_a_time(self, lock: SharedLock) -> None:
        """A held lock cannot be taken; a released one can."""
        assert lock.acquire(0.0)
        assert not lock.acquire(0.0)

        lock.release()

        assert lock.acquire(0.0)

    def test_mutual_exclusion(self, lock: SharedLock) -> None:
        """Of many threads, one is inside at a time, and all get in."""
        inside: list[int] = []
        most: list[int] = []

        def enter() -> None:
            for _ in range(50):
                assert lock.acquire(BOUND_S)
                inside.append(1)
                most.append(len(inside))
                inside.pop()
                lock.release()

        threads = [threading.Thread(target=enter) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (len(most), max(most)) == (400, 1)
        assert waiters(lock) == 0

    def test_in_the_order_of_asking(self, lock: SharedLock) -> None:
        """The caller that has waited longest is next."""
        order: list[int] = []

        def enter(number: int) -> None:
            lock.acquire(BOUND_S)
            order.append(number)
            lock.release()

        take_elsewhere(lock)
        threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda number=number: waiters(lock) == number + 1)  # type: ignore[misc]
        lock.release()
        for thread in threads:
            thread.join()

        assert order == [0, 1, 2, 3]

    def test_a_waiter_whose_time_is_up_is_forgotten(self, lock: SharedLock) -> None:
        """A waiter whose time is up is removed, and does not get the lock later."""
        take_elsewhere(lock)

        assert not lock.acquire(0.001)
        assert waiters(lock) == 0

        lock.release()
        assert lock.acquire(0.0)

    def test_handed_over_in_the_last_moment(self, lock: SharedLock, monkeypatch: pytest.MonkeyPatch) -> None:
        """A waiter that is handed the lock just as its time is up has the lock."""
        take_elsewhere(lock)
        release = lock.release
        monkeypatch.setattr(threading.Event, "wait", lambda *_: release())  # None: it was not woken in time

        assert lock.acquire(1.0)
        assert lock.holder == Caller.blocking()

    def test_an_interrupted_waiter_passes_the_lock_on(self, lock: SharedLock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C while waiting leaves no lock held, also if it was handed over at that moment."""
        take_elsewhere(lock)
        release = lock.release

        def interrupted(*_: object) -> bool:
            release()
            raise KeyboardInterrupt

        monkeypatch.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lock.acquire(BOUND_S)
        monkeypatch.undo()

        assert lock.acquire(0.0)

    def test_a_thread_that_holds_the_lock_cannot_wait_for_it(self, lock: SharedLock) -> None:
        """A hook that makes a call of its own gets an error at once instead of a deadlock."""
        lock.acquire()

        with pytest.raises(RedcoreError, match="would wait for itself: a call in this thread renews the token"):
            lock.acquire(BOUND_S)

        assert waiters(lock) == 0

    def test_a_thread_overtakes_the_tasks_that_it_blocks(self, lock: SharedLock) -> None:
        """A blocking call in a coroutine gets the lock before tasks of that loop, which cannot run meanwhile."""
        here = threading.get_ident()
        take_elsewhere(lock)
        lock._claim(Waiter(Caller(thread=-2, task=None), lambda: None), waits=True)
        lock._claim(Waiter(Caller(thread=here, task=1), lambda: None), waits=True)

        lock._claim(Waiter(Caller.blocking(), lambda: None), waits=True)

        assert [waiter.caller.task for waiter in lock._waiting] == [None, None, 1]


@pytest.mark.parametrize("backend", BACKENDS)
class TestTasks:
    def test_a_task_that_holds_the_lock_cannot_wait_for_it(self, lock: SharedLock, backend: str) -> None:
        """An asynchronous hook that makes a call of its own gets an error at once."""

        async def main() -> None:
            await lock.acquire_async()
            with pytest.raises(RedcoreError, match="would wait for itself: a call"):
                await lock.acquire_async(BOUND_S)

        anyio.run(main, backend=backend)

    def test_a_thread_cannot_wait_for_a_task_that_it_blocks(self, lock: SharedLock, backend: str) -> None:
        """A blocking call in a coroutine gets an error at once while another task of the loop renews."""

        async def main() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(lock.acquire_async)
                await until_async(lambda: lock.holder)
                with pytest.raises(RedcoreError, match="a task of the event loop that it runs in"):
                    lock.acquire(BOUND_S)

        anyio.run(main, backend=backend)

    def test_mutual_exclusion(self, lock: SharedLock, backend: str) -> None:
        """Of many tasks, one is inside at a time, and all get in."""
        inside: list[int] = []
        most: list[int] = []

        async def enter() -> None:
            assert await lock.acquire_async(BOUND_S)
            inside.append(1)
            await anyio.lowlevel.checkpoint()
            most.append(len(inside))
            inside.pop()
            lock.release()

        async def main() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(enter)

        anyio.run(main, backend=backend)

        assert (len(most), max(most)) == (50, 1)

    def test_a_task_whose_time_is_up_is_forgotten(self, lock: SharedLock, backend: str) -> None:
        """A task whose time is up is removed."""

        async def main() -> tuple[bool, int]:
            take_elsewhere(lock)
            return await lock.acquire_async(0.001), waiters(lock)

        assert anyio.run(main, backend=backend) == (False, 0)

    def test_a_cancelled_waiter_waits_no_more(self, lock: SharedLock, backend: str) -> None:
        """A task that is cancelled while it waits neither gets nor loses the lock."""

        async def main() -> None:
            take_elsewhere(lock)
            async with anyio.create_task_group() as group:
                group.start_soon(lock.acquire_async)
                await until_async(partial(waiters, lock))
                group.cancel_scope.cancel()

        anyio.run(main, backend=backend)

        assert waiters(lock) == 0
        lock.release()
        assert lock.acquire(0.0)

    def test_cancelled_when_it_was_handed_over(self, lock: SharedLock, backend: str) -> None:
        """A task that is cancelled just after it was handed the lock passes it on."""

        async def main() -> None:
            take_elsewhere(lock)
            async with anyio.create_task_group() as group:
                group.start_soon(lock.acquire_async)
                await until_async(partial(waiters, lock))
                group.cancel_scope.cancel()
                lock.release()

        anyio.run(main, backend=backend)

        assert lock.acquire(0.0)

    def test_a_waiter_in_a_closed_loop_is_skipped(self, lock: SharedLock, backend: str) -> None:
        """A waiter whose event loop has closed is not handed the lock."""
        wakes: list[Callable[[], object]] = []

        async def main() -> None:
            from redcore.tokens.single_flight import from_any_thread  # noqa: PLC0415 (needs a running loop)

            wakes.append(from_any_thread(lambda: None))

        take_elsewhere(lock)
        anyio.run(main, backend=backend)
        assert not lock._claim(Waiter(Caller(thread=-2, task=1), wakes[0]), waits=True)

        lock.release()

        assert lock.acquire(0.0)

    def test_threads_and_tasks_together(self, lock: SharedLock, backend: str) -> None:
        """A thread and two event loops share one lock."""
        inside: list[int] = []
        most: list[int] = []

        def visit() -> None:
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            lock.release()

        async def enter() -> None:
            assert await lock.acquire_async(BOUND_S)
            visit()

        async def loop() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(enter)

        def block() -> None:
            for _ in range(50):
                assert lock.acquire(BOUND_S)
                visit()

        threads = [threading.Thread(target=partial(anyio.run, loop, backend=other)) for other in (backend, "asyncio")]
        for thread in [*threads, blocking := threading.Thread(target=block)]:
            thread.start()
        for thread in [*threads, blocking]:
            thread.join()

        assert (len(most), max(most)) == (150, 1)


def test_native_cancellation() -> None:
    """A cancel() of asyncio itself leaves no lock held, also when it was handed over at that moment."""
    lock = SharedLock()

    async def main() -> None:
        take_elsewhere(lock)
        task = asyncio.create_task(lock.acquire_async())
        await until_async(partial(waiters, lock))
        lock.release()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert lock.acquire(0.0)


class TestRegistry:
    def test_one_session_for_each_entry(self) -> None:
        """Clients with the same cache and key share lock and pair; others do not."""
        cache = MemoryCache()
        _, session = session_in(cache, "a")

        assert session_in(cache, "a")[1] is session
        assert session_in(cache, "b")[1] is not session
        assert session_in(MemoryCache(), "a")[1] is not session

    def test_equal_caches_share(self) -> None:
        """Caches that compare equal, such as two on one file, share their sessions."""

        @attrs.frozen
        class SameFile(MemoryCache):
            path: str

        first, second = SameFile("/tmp/tokens"), SameFile("/tmp/tokens")  # noqa: S108 (a name only)
        _, session = session_in(first, "a")

        assert session_in(second, "a")[1] is session

    def test_sessions_end_with_their_clients(self) -> None:
        """After a thousand clients are gone, neither a lock nor a pair remains, though the cache lives on."""

        class Database(MemoryCache):
            """A cache that is not known to be in memory."""

        cache = Database()
        bridge = session_in(cache, "a")[0]

        for number in range(1000):
            session_in(cache, str(number))[1].memory.set("tokens", TokenSet(access_token="a"))
        gc.collect()

        assert len(bridge.sessions) == 0

    def test_a_bridge_ends_with_its_cache(self) -> None:
        """A cache that is no longer used is not kept alive by the state kept for it."""
        from redcore._call import token_store  # noqa: PLC0415 (its registry is private)

        gc.collect()
        before = len(token_store._bridges)
        cache = MemoryCache()
        session = session_in(cache, "a")
        assert len(token_store._bridges) == before + 1

        del cache, session
        gc.collect()

        assert len(token_store._bridges) == before

    def test_a_cache_that_cannot_be_registered(self) -> None:
        """A cache that cannot be weakly referenced or hashed is a ConfigurationError that says so."""

        class Listed(list[TokenSet]):
            def get(self, _: str) -> None: ...
            def set(self, _: str, tokens: TokenSet) -> None: ...
            def delete(self, _: str) -> None: ...

        with pytest.raises(ConfigurationError, match="hashable"):
            session_in(Listed(), "a")
