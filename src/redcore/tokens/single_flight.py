"""One token refresh at a time: a lock shared by threads and by tasks of any event loop.

Neither threading.Lock (blocks the loop) nor asyncio.Lock (bound to one loop) works for both sync and async code. Here
each waiter is a wake-up function; on release, the lock is handed to the waiter that has waited longest.

A wait that would deadlock is rejected: the lock knows its holder, and code that blocks the holder cannot wait for it.
All other waits are bounded, because a callback may wait for another thread that waits for the lock.

States of the lock, and the legal transitions:

    free → held    acquired at once
    held → held    released: handed to the waiter that has waited longest
    held → free    released without a waiter, or dropped in the child of a fork
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable
from weakref import WeakSet

import anyio
import attrs

from redcore._base.event_loops import is_in_trio
from redcore.exceptions import RedcoreError

Wake = Callable[[], object]
LONGEST_WAIT_S = 600.0  # as of a Retry-After (docs/adr/0005-retry-after-bound.md); calls bound it by their time-out
EXIT_S = 5.0  # how long a refresh in a daemon thread may delay the exit of the process


@attrs.frozen
class Caller:
    """A holder of a lock, or a waiter."""

    thread: int
    task: int | None
    """The task; None for blocking code."""

    @classmethod
    def blocking(cls) -> Caller:
        """The current blocking code, which blocks its thread while it waits."""
        return cls(threading.get_ident(), None)

    @classmethod
    def awaiting(cls) -> Caller:
        """The current task."""
        return cls(threading.get_ident(), anyio.get_current_task().id)

    def is_held_up_by(self, waiting: Caller) -> bool:
        """Whether this holder cannot run while `waiting` blocks."""
        if self.thread != waiting.thread:
            return False
        return self.task is None or waiting.task is None or self.task == waiting.task


@attrs.frozen(eq=False)
class Waiter:
    """A waiter for the lock."""

    caller: Caller
    wake: Wake
    claim: object = None
    """Identifies what waits, which releases the lock by it; None for code that cannot be interrupted in between."""


class SharedLock:
    """Mutual exclusion among threads and tasks; fair; not re-entrant."""

    def __init__(self) -> None:
        self.reset()
        _all_locks.add(self)

    def reset(self) -> None:
        """Reset the lock: drop the holder and all waiters."""
        self._guard = threading.Lock()  # held for a few instructions, never while waiting
        self._holder: Waiter | None = None
        self._waiting: deque[Waiter] = deque()

    @property
    def holder(self) -> Caller | None:
        """The holder; None if the lock is free."""
        return None if self._holder is None else self._holder.caller

    def acquire(self, timeout_s: float = LONGEST_WAIT_S, claim: object = None) -> bool:
        """Acquire the lock, blocking the thread.

        Args:
            timeout_s: How long to wait, in seconds.
            claim: Identifies the caller, to release the lock with. After an interrupt nothing else shows whether it
                was acquired.

        Returns:
            Whether the lock was acquired.

        Raises:
            RedcoreError: the wait would deadlock, because this thread or a task in it holds the lock.
        """
        woken = threading.Event()
        waiter = Waiter(Caller.blocking(), woken.set, claim)
        if self._claim(waiter, waits=timeout_s > 0):
            return True
        try:
            in_time = woken.wait(timeout_s)
        except BaseException:
            self._give_up(waiter)
            raise
        return in_time or not self._withdraw(waiter)

    async def acquire_async(self, timeout_s: float = LONGEST_WAIT_S, claim: object = None) -> bool:
        """Acquire the lock while other tasks run; arguments, result and errors as for `acquire`."""
        woken = anyio.Event()
        waiter = Waiter(Caller.awaiting(), from_any_thread(woken.set), claim)
        if self._claim(waiter, waits=timeout_s > 0):
            return True
        try:
            with anyio.move_on_after(timeout_s):
                await woken.wait()
                return True
        except BaseException:
            self._give_up(waiter)
            raise
        return not self._withdraw(waiter)

    def release(self, claim: object = None) -> None:
        """Hand the lock to the waiter that has waited longest, or free it.

        Args:
            claim: What it was acquired with. If it was not acquired, nothing is released, and no waiter has this claim
                any more.
        """
        while True:
            with self._guard:
                if self._holder is None or self._holder.claim is not claim:
                    self._waiting = deque(each for each in self._waiting if claim is None or each.claim is not claim)
                    return
                waiter = self._holder = self._waiting.popleft() if self._waiting else None
            if waiter is None:
                return
            try:
                waiter.wake()
            except RuntimeError:  # its event loop is closed, so no task waits there any more
                claim = waiter.claim
                continue
            return

    def pass_to(self, caller: Caller) -> None:
        """Let what goes on with the holder's work be the holder, which has the same claim."""
        with self._guard:
            if self._holder is not None:
                self._holder = attrs.evolve(self._holder, caller=caller)

    def _claim(self, waiter: Waiter, *, waits: bool) -> bool:
        with self._guard:
            if self._holder is None:
                self._holder = waiter
                return True
            if waits and self._holder.caller.is_held_up_by(waiter.caller):
                raise RedcoreError(endless(self._holder.caller, waiter.caller))
            held_up = (place for place, ahead in enumerate(self._waiting) if ahead.caller.is_held_up_by(waiter.caller))
            self._waiting.insert(next(held_up, len(self._waiting)), waiter)
            return False

    def _withdraw(self, waiter: Waiter) -> bool:
        """Stop waiting; False if the lock has already been handed over."""
        with self._guard:
            if waiter not in self._waiting:
                return False
            self._waiting.remove(waiter)
            return True

    def _give_up(self, waiter: Waiter) -> None:
        """Stop waiting, and release the lock if it has already been handed over."""
        if not self._withdraw(waiter):
            self.release(waiter.claim)


def endless(holder: Caller, waiting: Caller) -> str:
    """Explain why a wait for the lock would deadlock, and what to do."""
    if holder.task is None or holder.task == waiting.task:
        return (
            "this call would wait for itself: a call in this thread renews the token, and its hook, callback or token "
            "cache makes this one; make it when the renewal is over, or with a client that has other credentials"
        )
    return (
        "this call would wait for itself: a task of the event loop that it runs in renews the token; await AsyncClient "
        "in coroutines, or call Client in a thread (asyncio.to_thread)"
    )


def from_any_thread(function: Callable[[], object]) -> Wake:
    """Return a function that, from any thread, makes the current event loop call `function`."""
    if is_in_trio():
        import trio  # noqa: PLC0415 (the application runs it, and so has it)

        token = trio.lowlevel.current_trio_token()
        return lambda: token.run_sync_soon(function)
    import asyncio  # noqa: PLC0415 (blocking code needs none of it)

    loop = asyncio.get_running_loop()
    return lambda: loop.call_soon_threadsafe(function)


_all_locks: WeakSet[SharedLock] = WeakSet()


def _after_fork() -> None:
    """Reset all locks in a forked child: only the forking thread survives, so holders and waiters are gone."""
    for lock in _all_locks:
        lock.reset()


def _at_exit() -> None:
    """Wait for refreshes in daemon threads: the process could exit after the response but before tokens are stored."""
    others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    for lock in list(_all_locks):
        holder = lock.holder
        if holder is not None and holder.thread in others and lock.acquire(EXIT_S):
            lock.release()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)
