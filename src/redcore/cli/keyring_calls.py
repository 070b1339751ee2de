"""The keyring of the command line: each call ends in time, and a slow one is explained."""

from __future__ import annotations

from collections.abc import Callable

from redcore.tokens import KeyringCache, TokenSet
from redcore.tokens.bounded_calls import BoundedCalls

NOTICE_S = 3.0
"""A keyring that is open answers in a tenth of a second; a person who waits this long wants to know for what."""


class BoundedKeyring:
    """A keyring, each of whose calls ends in time.

    Args:
        cache: The keyring.
        limit_s: Seconds that one call may take.
        on_slow: Called when a call has taken 3 seconds.
    """

    def __init__(self, cache: KeyringCache, *, limit_s: float, on_slow: Callable[[], None]) -> None:
        self._cache = cache
        self._calls = BoundedCalls(limit_s, notice_s=NOTICE_S, on_slow=on_slow)

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None.

        Raises:
            TokenCacheError: the keyring cannot be used, or does not answer in time.
        """
        return self._calls(lambda: self._cache.get(key))

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, replacing any others; raises as `get` does."""
        self._calls(lambda: self._cache.set(key, tokens))

    def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any; raises as `get` does."""
        self._calls(lambda: self._cache.delete(key))

    def try_lock(self, key: str, lease_s: float) -> bool:
        """Acquire the lock of a key, which is a file, without waiting."""
        return self._cache.try_lock(key, lease_s)

    def unlock(self, key: str) -> None:
        """Release the lock of a key."""
        self._cache.unlock(key)
