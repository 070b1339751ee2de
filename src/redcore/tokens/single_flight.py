"""One renewal at a time: a lock that threads and tasks of any event loop wait for alike, one for each cache entry.

Neither threading.Lock (blocks the loop) nor asyncio.Lock (bound to one loop) can be shared by both colours. Here a
waiter is just a function that wakes it; the lock is handed from the one who releases it to the one who waits longest.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary, WeakSet

import anyio

from redcore.exceptions import ConfigurationError
from redcore.tokens.cache import AnyTokenCache

Wake = Callable[[], object]


class SharedLock:
    """Mutual exclusion among threads and tasks; fair; not re-entrant."""

    def __init__(self) -> None:
        self.reset()
        _all_locks.add(self)

    def reset(self) -> None:
        """Forget who holds the lock and who waits for it."""
        self._guard = threading.Lock()  # held for a few instructions, never while waiting
        self._held = False
        self._waiting: deque[Wake] = deque()

    def acquire(self, timeout_s: float | None = None) -> bool:
        """Take the lock, blocking the thread.

        Args:
            timeout_s: How long to wait, in seconds; None is for ever.

        Returns:
            Whether the lock was taken.
        """
        woken = threading.Event()
        if self._claim(woken.set):
            return True
        try:
            in_time = woken.wait(timeout_s)
        except BaseException:
            self._give_up(woken.set)
            raise
        return in_time or not self._withdraw(woken.set)

    async def acquire_async(self, timeout_s: float | None = None) -> bool:
        """Take the lock, letting other tasks run meanwhile; arguments and result as for `acquire`."""
        woken = anyio.Event()
        wake = from_any_thread(woken.set)
        if self._claim(wake):
            return True
        try:
            with anyio.move_on_after(timeout_s):
                await woken.wait()
                return True
        except BaseException:
            self._give_up(wake)
            raise
        return not self._withdraw(wake)

    def release(self) -> None:
        """Give the lock to the one who waits longest, or free it."""
        while True:
            with self._guard:
                if not self._waiting:
                    self._held = False
                    return
                wake = self._waiting.popleft()
            try:
                wake()
            except RuntimeError:  # its event loop is closed: nobody waits there any more
                continue
            return

    def _claim(self, wake: Wake) -> bool:
        with self._guard:
            if self._held:
                self._waiting.append(wake)
                return False
            self._held = True
            return True

    def _withdraw(self, wake: Wake) -> bool:
        """Stop waiting; False if the lock has been handed over already."""
        with self._guard:
            if wake not in self._waiting:
                return False
            self._waiting.remove(wake)
            return True

    def _give_up(self, wake: Wake) -> None:
        """Stop waiting, and pass the lock on if it has been handed over already."""
        if not self._withdraw(wake):
            self.release()


def from_any_thread(function: Callable[[], object]) -> Wake:
    """A function that, called in any thread, makes the current event loop call `function`."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 (not asyncio, so the application runs trio and has it)

        token = trio.lowlevel.current_trio_token()
        return lambda: token.run_sync_soon(function)
    return lambda: loop.call_soon_threadsafe(function)


_all_locks: WeakSet[SharedLock] = WeakSet()
_locks: WeakKeyDictionary[AnyTokenCache, dict[str, SharedLock]] = WeakKeyDictionary()
_registry = threading.Lock()


def lock_for(cache: AnyTokenCache, key: str) -> SharedLock:
    """The lock of a cache entry: the same for all clients in this process that share the cache object."""
    with _registry:
        try:
            return _locks.setdefault(cache, {}).setdefault(key, SharedLock())
        except TypeError as problem:
            raise ConfigurationError(
                f"token_cache must be hashable and allow weak references; {type(cache).__name__} does not"
            ) from problem


def _after_fork() -> None:
    """In the child only the forking thread lives on: whoever held or awaited a lock is gone."""
    global _registry  # noqa: PLW0603 (a lock held by a thread of the parent would never be released)
    _registry = threading.Lock()
    for lock in _all_locks:
        lock.reset()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)
