"""Calls of a keyring that end in time.

A locked keyring shows its owner a prompt and waits for the answer, and a D-Bus that has died never answers: a backend
then blocks forever, with no timeout of its own. So every call runs in a daemon thread, and this one waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from redcore._base.clock import monotonic
from redcore.exceptions import TokenCacheError

T = TypeVar("T")

SLICE_S = 0.2
"""Windows delivers Ctrl-C only between two waits."""
NO_ANSWER = "the keyring does not answer: unlock it, or restart its service"


class BoundedCalls:
    """Makes calls that end in time.

    Args:
        limit_s: Seconds that one call may take.
        notice_s: Seconds after which `on_slow` is called.
        on_slow: Called once in a call that takes longer.
    """

    def __init__(
        self, limit_s: float, *, notice_s: float = float("inf"), on_slow: Callable[[], None] | None = None
    ) -> None:
        self.limit_s = limit_s
        self._notice_s = notice_s
        self._on_slow = on_slow
        self._stuck: threading.Thread | None = None

    def __call__(self, call: Callable[[], T]) -> T:
        """Make a call; raises what it raises.

        Raises:
            TokenCacheError: it did not end in time, or an earlier one has not ended yet.
        """
        if self._stuck is not None and self._stuck.is_alive():  # one wait is enough
            raise TokenCacheError(NO_ANSWER)
        outcome: list[T | Exception] = []

        def run() -> None:
            try:
                outcome.append(call())
            except Exception as problem:  # noqa: BLE001 (raised again in the calling thread)
                outcome.append(problem)

        thread = threading.Thread(target=run, name="redcore-keyring", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # at interpreter shutdown, when no thread can be started
            return call()
        self._await(thread)
        if not outcome:
            self._stuck = thread
            raise TokenCacheError(NO_ANSWER)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def _await(self, thread: threading.Thread) -> None:
        began, is_noticed = monotonic(), self._on_slow is None
        while (waited := monotonic() - began) < self.limit_s:
            if not is_noticed and self._on_slow is not None and waited >= self._notice_s:
                is_noticed = True
                self._on_slow()
            thread.join(min(SLICE_S, self.limit_s - waited))
            if not thread.is_alive():
                return
