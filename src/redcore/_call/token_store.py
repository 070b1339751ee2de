"""The token cache as one client sees it: each access a step of a call, what was seen last at hand, failures bridged.

A call with a fresh token asks no cache but `MemoryCache`: the pair that was seen last is remembered here. A cache that
fails is left alone for a minute. When it works again, what it holds may be an older pair, and to use that would end the
session (RFC 9700 section 4.14): it is given the pair that it missed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction
from typing import Any
from weakref import WeakKeyDictionary

import attrs

from redcore._base.cancellation import to_the_end
from redcore._call.steps import Ask, Flow
from redcore.exceptions import TokenCacheError
from redcore.tokens.cache import AnyTokenCache, AsyncSharedTokenCache, MemoryCache, SharedTokenCache
from redcore.tokens.token_set import TokenSet

AGAIN_S = 60.0  # after a failure, for a cache that is away may keep each who asks it waiting
FAILED = object()


@attrs.define(eq=False)
class Bridge:
    """What all clients of a cache know of it, in this process: this takes its place when it fails."""

    seen: MemoryCache = attrs.field(factory=MemoryCache)
    missed: set[str] = attrs.field(factory=set[str])
    """The keys of the pairs that it did not take."""
    not_before: float = 0.0
    """When it may be asked again, in Unix seconds."""
    has_failed: bool = False


_bridges: WeakKeyDictionary[AnyTokenCache, Bridge] = WeakKeyDictionary()


def is_async(cache: AnyTokenCache) -> bool:
    """Whether a cache must be awaited."""
    return iscoroutinefunction(cache.get)


async def answer_async(step: Ask) -> Any:
    """What a cache answers; the call waits for it even if it is cancelled, the other tasks do not."""
    from anyio import to_thread  # noqa: PLC0415 (of no use to those who block)

    return await to_the_end(to_thread.run_sync(step.function) if step.blocks else step.function())


class TokenStore:
    """The tokens under one key of a cache.

    Args:
        cache: The cache.
        key: The key.
        now: Gives Unix seconds.
    """

    def __init__(self, cache: AnyTokenCache, key: str, now: Callable[[], float]) -> None:
        self._cache = cache
        self._key = key
        self._now = now
        self._bridge = Bridge(cache) if isinstance(cache, MemoryCache) else _bridges.setdefault(cache, Bridge())
        self._memory = self._bridge.seen
        self._is_locked = False
        self.is_unread: bool = self._is_asked
        """Whether the cache may know tokens that nobody here has seen yet, or has missed some."""

    @property
    def _is_asked(self) -> bool:
        return not isinstance(self._cache, MemoryCache) and self._now() >= self._bridge.not_before

    def known(self) -> TokenSet | None:
        """The tokens that were seen last."""
        return self._memory.get(self._key)

    def begin(self, tokens: TokenSet) -> None:
        """Start from these, unless others are known."""
        if self.known() is None:
            self._memory.set(self._key, tokens)

    def fetch(self) -> Flow[TokenSet | None]:
        """The tokens that the cache has; those that were seen last if it has none, or older ones.

        Raises:
            TokenCacheError: the cache is strict and fails.
        """
        self.is_unread = False
        found: object = yield from self._ask("get", FAILED)
        if found is not FAILED and not isinstance(found, TokenSet | None):
            self._give_up(TokenCacheError(f"its get() gave {type(found).__name__}, not TokenSet or None"))
            found = FAILED
        if found is FAILED:
            self.is_unread = self._key in self._bridge.missed
        elif self._key in self._bridge.missed and not is_newer(found, known := self.known()):
            if known is not None:
                yield from self.keep(known)
        elif isinstance(found, TokenSet):
            self._bridge.missed.discard(self._key)
            self._memory.set(self._key, found)
        return self.known()

    def keep(self, tokens: TokenSet) -> Flow[None]:
        """Store tokens, in place of what was there; raises as `fetch` does, and they are known all the same."""
        self._memory.set(self._key, tokens)
        if isinstance(self._cache, MemoryCache):
            return
        self._bridge.missed.add(self._key)
        if (yield from self._ask("set", FAILED, tokens)) is FAILED:
            self.is_unread = True
        else:
            self._bridge.missed.discard(self._key)

    def forget(self) -> Flow[None]:
        """Delete the tokens; raises as `fetch` does."""
        self._memory.delete(self._key)
        self._bridge.missed.discard(self._key)
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
        self._bridge.not_before = self._now() + AGAIN_S
        if not self._bridge.has_failed:
            self._bridge.has_failed = True
            warnings.warn(
                f"the token cache {name} cannot be used: {reason}; until it can be, tokens are kept in memory",
                RuntimeWarning,
                stacklevel=2,
            )


def is_newer(found: object, known: TokenSet | None) -> bool:
    """Whether the tokens of a cache were given after those at hand."""
    if not isinstance(found, TokenSet) or known is None:
        return isinstance(found, TokenSet)
    return found.issued_at is not None and known.issued_at is not None and found.issued_at > known.issued_at
