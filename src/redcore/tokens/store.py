"""The token cache as one client sees it: each access a step of a call, what was seen last at hand, failures bridged.

A call with a fresh token asks no cache but `MemoryCache`: the pair that was seen last is remembered here. A cache that
fails is not asked again: what it still holds may be an older pair, and to use that would end the session (RFC 9700
section 4.14).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from redcore._shield import to_the_end
from redcore._steps import Ask, Flow
from redcore.exceptions import TokenCacheError
from redcore.tokens.cache import AnyTokenCache, AsyncSharedTokenCache, MemoryCache, SharedTokenCache
from redcore.tokens.token_set import TokenSet

_broken: WeakSet[AnyTokenCache] = WeakSet()
_seen: WeakKeyDictionary[AnyTokenCache, MemoryCache] = WeakKeyDictionary()
"""What all clients of a cache have seen of it: it takes its place when it fails."""


def is_async(cache: AnyTokenCache) -> bool:
    """Whether a cache must be awaited."""
    return iscoroutinefunction(cache.get)


async def answer_async(step: Ask) -> Any:
    """What a cache answers; the call waits for it even if it is cancelled, the other tasks do not."""
    from anyio import to_thread  # noqa: PLC0415 (of no use to those who block)

    return await to_the_end(to_thread.run_sync(step.function) if step.blocks else step.function())


class TokenStore:
    """The tokens under one key of a cache."""

    def __init__(self, cache: AnyTokenCache, key: str) -> None:
        self._cache = cache
        self._key = key
        self._memory = cache if isinstance(cache, MemoryCache) else _seen.setdefault(cache, MemoryCache())
        self._is_locked = False
        self.is_unread: bool = self._is_asked
        """Whether the cache may know tokens that nobody here has seen yet."""

    @property
    def _is_asked(self) -> bool:
        return not isinstance(self._cache, MemoryCache) and self._cache not in _broken

    def known(self) -> TokenSet | None:
        """The tokens that were seen last."""
        return self._memory.get(self._key)

    def begin(self, tokens: TokenSet) -> None:
        """Start from these, unless others are known."""
        if self.known() is None:
            self._memory.set(self._key, tokens)

    def fetch(self) -> Flow[TokenSet | None]:
        """The tokens that the cache has; those that were seen last if it has none.

        Raises:
            TokenCacheError: the cache is strict and fails.
        """
        self.is_unread = False
        found: TokenSet | None = yield from self._ask("get", None)
        if found is not None:
            self._memory.set(self._key, found)
        return self.known()

    def keep(self, tokens: TokenSet) -> Flow[None]:
        """Store tokens, in place of what was there; raises as `fetch` does, and they are known all the same."""
        self._memory.set(self._key, tokens)
        yield from self._ask("set", None, tokens)

    def forget(self) -> Flow[None]:
        """Delete the tokens; raises as `fetch` does."""
        self._memory.delete(self._key)
        yield from self._ask("delete", None)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may renew the same tokens."""
        return self._is_asked and isinstance(self._cache, SharedTokenCache | AsyncSharedTokenCache)

    def try_lock(self, lease_s: float) -> Flow[bool]:
        """Take the lock among processes, if there are any, without waiting; raises as `fetch` does."""
        if not self.is_shared:
            return True
        taken: bool = yield from self._ask("try_lock", True, lease_s)  # noqa: FBT003 (an answer)
        self._is_locked = taken and self._is_asked
        return taken

    def unlock(self) -> Flow[None]:
        """Free it, also that of a cache that has failed meanwhile: others wait for it. Raises as `fetch` does."""
        if self._is_locked:
            self._is_locked = False
            yield from self._asked("unlock", None)

    def _ask(self, method: str, otherwise: Any, *args: Any) -> Flow[Any]:
        return (yield from self._asked(method, otherwise, *args)) if self._is_asked else otherwise

    def _asked(self, method: str, otherwise: Any, *args: Any) -> Flow[Any]:
        function: Callable[[], Any] = partial(getattr(self._cache, method), self._key, *args)
        try:
            return (yield Ask(function, blocks=not is_async(self._cache)))
        except Exception as problem:  # noqa: BLE001 (whatever a cache raises is bridged, or raised as ours)
            self._give_up(problem)
            return otherwise

    def _give_up(self, problem: Exception) -> None:
        name = type(self._cache).__name__
        # What an error of somebody else says may hold a token; what one of ours says does not.
        reason = problem.message if isinstance(problem, TokenCacheError) else f"it raised {type(problem).__name__}"
        if getattr(self._cache, "strict", False):
            raise TokenCacheError(f"the token cache {name} cannot be used: {reason}") from None
        if self._cache not in _broken:
            _broken.add(self._cache)
            warnings.warn(
                f"the token cache {name} cannot be used: {reason}; tokens are kept in memory until this process ends",
                RuntimeWarning,
                stacklevel=2,
            )
