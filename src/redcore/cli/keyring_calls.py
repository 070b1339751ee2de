"""Calls of the keyring that end in time.

A locked keyring shows its owner a prompt and waits for the answer, and a D-Bus that has died never answers: a backend
then blocks for ever, with no timeout of its own. So every call runs in a daemon thread, and this one waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from redcore.exceptions import TokenCacheError
from redcore.tokens import KeyringCache, TokenSet

T = TypeVar("T")

NOTICE_S = 3.0
"""A keyring that is open answers in a tenth of a second; a person who waits this long wants to know for what."""
SLICE_S = 0.2
"""Windows delivers Ctrl-C only between two waits."""
NO_ANSWER = "the keyring does not answer: unlock it, or restart its service"


class BoundedKeyring:
    """A keyring, each of whose calls ends in time.

    Args:
        cache: The keyring.
        limit_s: Seconds that one call may take.
        on_slow: Called when a call has taken 3 seconds.
    """

    def __init__(self, cache: KeyringCache, *, limit_s: float, on_slow: Callable[[], None]) -> None:
        self._cache = cache
        self._limit_s = limit_s
        self._on_slow = on_slow
        self._is_stuck = False

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None.

        Raises:
            TokenCacheError: the keyring cannot be used, or does not answer in time.
        """
        return self._within_limit(lambda: self._cache.get(key))

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, replacing any others; raises as `get` does."""
        self._within_limit(lambda: self._cache.set(key, tokens))

    def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any; raises as `get` does."""
        self._within_limit(lambda: self._cache.delete(key))

    def try_lock(self, key: str, lease_s: float) -> bool:
        """Acquire the lock of a key, which is a file, without waiting."""
        return self._cache.try_lock(key, lease_s)

    def unlock(self, key: str) -> None:
        """Release the lock of a key."""
        self._cache.unlock(key)

    def _within_limit(self, call: Callable[[], T]) -> T:
        if self._is_stuck:  # one wait is enough: the thread before is still in there
            raise TokenCacheError(NO_ANSWER)
        outcome: list[T | Exception] = []

        def run() -> None:
            try:
                outcome.append(call())
            except Exception as problem:  # noqa: BLE001 (raised again in the calling thread)
                outcome.append(problem)

        thread = threading.Thread(target=run, name="redcore-keyring", daemon=True)
        thread.start()
        self._await(thread)
        if not outcome:
            self._is_stuck = True
            raise TokenCacheError(NO_ANSWER)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def _await(self, thread: threading.Thread) -> None:
        began, is_noticed = time.monotonic(), False
        while (waited := time.monotonic() - began) < self._limit_s:
            if waited >= NOTICE_S and not is_noticed:
                is_noticed = True
                self._on_slow()
            thread.join(min(SLICE_S, self._limit_s - waited))
            if not thread.is_alive():
                return
