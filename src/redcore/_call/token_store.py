"""A client's view of the token cache: accesses as steps, the latest pair in memory, failures bridged.

A call with a fresh token reads no cache except `MemoryCache`: the latest pair is remembered here. States of a cache
other than `MemoryCache`, and of the pair of one key, with the legal transitions:

    working → failing      it raised, or returned unusable tokens: it is not used for a minute, with one warning
    failing → working      the minute is over, and it works again
    stored  → missed       it failed to store a new pair: the pair is in memory only
    missed  → stored       it works again, and has an older pair or none: the missed pair is stored
    missed  → superseded   it works again, and has a newer pair: that pair is used
    stored  → lost         it has an older pair, as after a restore or a failover: that pair is not used
    lost    → stored       the lock between processes is held: the newer pair is stored again

An older pair of a cache is never used again, as that would end the session (RFC 9700 section 4.14).
"""

from __future__ import annotations

import copy
import os
import threading
import warnings
from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import attrs

from redcore._base.cancellation import to_the_end
from redcore._base.signal_handlers import let_through
from redcore._call.steps import Ask, Flow
from redcore.exceptions import AuthenticationError, ConfigurationError, RedcoreError, TokenCacheError
from redcore.tokens.cache import AnyTokenCache, AsyncSharedTokenCache, MemoryCache, SharedTokenCache
from redcore.tokens.single_flight import SharedLock
from redcore.tokens.token_set import CLOCK_TOLERANCE_S, TokenSet, flaw

AGAIN_S = 60.0  # after a failure: each access to an unavailable cache, and each early refresh, may take its timeout
FAILED = object()


@attrs.define(eq=False)
class Session:
    """The state of one key, shared by all clients in this process; freed with the last of them."""

    memory: MemoryCache
    """Holds the latest pair."""
    given: TokenSet | None = None
    """The pair that the application began with. A cache has it, or what it was refreshed to: the key is made of it."""
    lock: SharedLock = attrs.field(factory=SharedLock)
    """Held by the client that refreshes the pair."""
    renewals: int = 0
    """Number of successful refreshes."""
    failures: int = 0
    """Number of failed refreshes."""
    failure: tuple[RedcoreError, float] | None = None
    """The error of the last failed refresh, and its attempt timeout in seconds."""
    refused: tuple[str, AuthenticationError] | None = None
    """A dead refresh token, and the server's error."""


@attrs.define(eq=False)
class Bridge:
    """The state of a cache in this process; replaces the cache while it fails."""

    sessions: WeakValueDictionary[str, Session] = attrs.field(factory=WeakValueDictionary[str, Session])
    missed: dict[str, Session] = attrs.field(factory=dict[str, Session])
    """The sessions whose latest pair the cache failed to store; they outlive their clients."""
    not_before: float = 0.0
    """When the cache may be used again, on the monotonic clock."""
    has_failed: bool = False


_bridges: WeakKeyDictionary[AnyTokenCache, Bridge] = WeakKeyDictionary()
_registry = threading.Lock()


def session_in(cache: AnyTokenCache, key: str) -> tuple[Bridge, Session]:
    """Return the state of a cache and of one key, shared by all clients that use the same cache object.

    Raises:
        ConfigurationError: the cache is not hashable, or does not allow weak references.
    """
    with _registry:
        try:
            bridge = _bridges.setdefault(cache, Bridge())
        except TypeError as problem:
            raise ConfigurationError(
                f"token_cache must be hashable and allow weak references; {type(cache).__name__} does not"
            ) from problem
        session = bridge.sessions.get(key)
        if session is None:
            session = Session(cache if isinstance(cache, MemoryCache) else MemoryCache())
            bridge.sessions[key] = session
        return bridge, session


def _after_fork() -> None:
    global _registry  # noqa: PLW0603 (a lock held by a thread of the parent would never be released)
    _registry = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)


def is_async(cache: AnyTokenCache) -> bool:
    """Whether a cache is async."""
    return iscoroutinefunction(cache.get)


async def answer_async(step: Ask) -> Any:
    """Call a cache; the call waits for the result even if it is cancelled, without blocking other tasks."""
    from anyio import to_thread  # noqa: PLC0415 (not needed by blocking code)

    return await to_the_end(to_thread.run_sync(step.function) if step.blocks else step.function())


class TokenStore:
    """The tokens under one key of a cache.

    Args:
        cache: The cache.
        key: The key.
        now: Gives Unix seconds.
        monotonic: Gives seconds, for durations.
    """

    def __init__(
        self, cache: AnyTokenCache, key: str, now: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._cache = cache
        self._key = key
        self._now = now
        self._monotonic = monotonic
        self._bridge, self._session = session_in(cache, key)
        self._memory = self._session.memory
        self.lock: SharedLock = self._session.lock
        """The lock for refreshing the tokens within this process."""
        self._is_locked = False
        self.is_unread: bool = self._is_asked
        """Whether the cache may have tokens unknown to this process, or failed to store some."""

    @property
    def outcomes(self) -> tuple[int, int]:
        """Numbers of successful and failed refreshes in this process, so that a waiting call notices one."""
        return self._session.renewals, self._session.failures

    def succeed(self) -> None:
        """Record a refresh, for the calls that wait for it."""
        self._session.renewals += 1

    @property
    def _is_asked(self) -> bool:
        return not isinstance(self._cache, MemoryCache) and not is_ahead(self._bridge.not_before, self._monotonic())

    def known(self) -> TokenSet | None:
        """The latest known tokens."""
        return self._memory.get(self._key)

    def begin(self, tokens: TokenSet) -> None:
        """Start with these tokens, unless others are known."""
        if self.known() is None:
            self._session.given = tokens
            self._memory.set(self._key, tokens)

    def fail(self, error: RedcoreError, timeout_s: float) -> None:
        """Record why a refresh failed, for the calls that wait for it."""
        self._session.failure = copy.copy(error), timeout_s
        self._session.failures += 1

    def renewed_since(self, outcomes: tuple[int, int]) -> bool:
        """Whether the tokens were refreshed while a call waited for it.

        Args:
            outcomes: What `outcomes` was when the wait began.
        """
        return self._session.renewals != outcomes[0]

    def failed_since(self, outcomes: tuple[int, int], timeout_s: float) -> RedcoreError | None:
        """Return why a refresh failed while a call waited for it; None if none failed, or only by timeout.

        Args:
            outcomes: As for `renewed_since`.
            timeout_s: How long an attempt of this call may take.
        """
        if self._session.failure is None or self._session.failures == outcomes[1]:
            return None
        error, had_s = self._session.failure
        is_answer = getattr(error, "response", None) is not None
        return copy.copy(error) if is_answer or had_s >= timeout_s else None

    def refuse(self, refresh_token: str, error: AuthenticationError) -> None:
        """Record that a refresh token is dead; this is permanent."""
        self._session.refused = refresh_token, copy.copy(error)

    def refusal(self, refresh_token: str | None) -> AuthenticationError | None:
        """Return the server's error for a dead refresh token, or None. Without a token, that of the last dead one."""
        if self._session.refused is None or refresh_token not in (None, self._session.refused[0]):
            return None
        return copy.copy(self._session.refused[1])

    def give_up_refreshing(self, tokens: TokenSet) -> Flow[None]:
        """Remove a dead refresh token from the locked cache, so that no other process sends it."""
        if self._is_locked:
            try:
                yield from self.keep(attrs.evolve(tokens, refresh_token=None))
            except TokenCacheError:  # the caller needs the server's error instead
                return

    def fetch(self) -> Flow[TokenSet | None]:
        """Return the tokens of the cache, or the latest known ones if it has none or older ones.

        Raises:
            TokenCacheError: the cache is strict and fails.
        """
        self.is_unread = False
        found: object = yield from self._ask("get", FAILED)
        if found is not FAILED and not isinstance(found, TokenSet | None):
            self._give_up(TokenCacheError(f"its get() gave {type(found).__name__}, not TokenSet or None"))
            found = FAILED
        if isinstance(found, TokenSet) and (problem := flaw(found, may_have_ended=True)) is not None:
            self._give_up(TokenCacheError(f"its get() gave tokens with {problem}"))
            found = FAILED
        if found is FAILED:
            self.is_unread = self._key in self._bridge.missed
        elif (known := self.known()) is not None and self._is_superseded(found, known):
            if self._is_locked or self._key in self._bridge.missed:  # else another process may be storing a newer pair
                yield from self.keep(known)
        elif isinstance(found, TokenSet):
            self._bridge.missed.pop(self._key, None)
            self._memory.set(self._key, found)
        return self.known()

    def _is_superseded(self, found: object, known: TokenSet) -> bool:
        """Whether the known tokens are newer than those of the cache, which failed to store them or has lost them."""
        if self._key in self._bridge.missed:
            return not is_newer(found, known)
        if not isinstance(found, TokenSet) or known.issued_at is None or known is self._session.given:
            return False
        was_set_back = known.issued_at > self._now() + CLOCK_TOLERANCE_S  # the clock: then the times say nothing
        return not was_set_back and is_newer(known, found, by_s=CLOCK_TOLERANCE_S)

    def keep(self, tokens: TokenSet) -> Flow[None]:
        """Store tokens, replacing any others; raises as `fetch` does, but remembers them in any case."""
        self._memory.set(self._key, tokens)
        if isinstance(self._cache, MemoryCache):
            return
        self._bridge.missed[self._key] = self._session
        if (yield from self._ask("set", FAILED, tokens)) is FAILED:
            self.is_unread = True
        else:
            self._bridge.missed.pop(self._key, None)

    def forget(self) -> Flow[None]:
        """Delete the tokens; raises as `fetch` does."""
        self._memory.delete(self._key)
        self._bridge.missed.pop(self._key, None)
        yield from self._ask("delete", None)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may refresh the same tokens."""
        return self._is_asked and isinstance(self._cache, SharedTokenCache | AsyncSharedTokenCache)

    def try_lock(self, lease_s: float) -> Flow[bool]:
        """Acquire the lock between processes, if the cache has one, without waiting; raises as `fetch` does."""
        if not self.is_shared:
            return True
        taken: bool = yield from self._ask("try_lock", True, lease_s)  # noqa: FBT003 (an answer)
        self._is_locked = taken and self._is_asked
        return taken

    def unlock(self) -> Flow[None]:
        """Release it, even if the cache has failed since, because others wait for it. Raises as `fetch` does."""
        if self._is_locked:
            self._is_locked = False
            yield from self._asked("unlock", None)

    def _ask(self, method: str, otherwise: Any, *args: Any) -> Flow[Any]:
        return (yield from self._asked(method, otherwise, *args)) if self._is_asked else otherwise

    def _asked(self, method: str, otherwise: Any, *args: Any) -> Flow[Any]:
        function: Callable[[], Any] = partial(getattr(self._cache, method), self._key, *args)
        try:
            return (yield Ask(function, blocks=not is_async(self._cache), locks=method == "try_lock"))
        except Exception as problem:  # noqa: BLE001 (any error of a cache is bridged, or raised as TokenCacheError)
            let_through(problem)
            self._give_up(problem)
            return otherwise

    def _give_up(self, problem: Exception) -> None:
        name = type(self._cache).__name__
        # The message of a foreign error may contain a token; our own messages do not.
        reason = problem.message if isinstance(problem, TokenCacheError) else f"it raised {type(problem).__name__}"
        if getattr(self._cache, "strict", False):
            raise TokenCacheError(f"the token cache {name} cannot be used: {reason}") from None
        self._bridge.not_before = self._monotonic() + AGAIN_S
        if not self._bridge.has_failed:
            self._bridge.has_failed = True
            warnings.warn(
                f"the token cache {name} cannot be used: {reason}; until it can be, tokens are kept in memory",
                RuntimeWarning,
                stacklevel=2,
            )


def is_ahead(moment: float, now: float) -> bool:
    """Whether something waits for a moment that is up to a minute ahead, on the monotonic clock.

    One that is further ahead is over: a machine that is restored from a snapshot can have an earlier clock.
    """
    return 0.0 < moment - now < 2 * AGAIN_S


def is_newer(found: object, known: TokenSet | None, *, by_s: float = 0.0) -> bool:
    """Whether the tokens of a cache are newer than the known ones, by more than so many seconds."""
    if not isinstance(found, TokenSet) or known is None:
        return isinstance(found, TokenSet)
    return found.issued_at is not None and known.issued_at is not None and found.issued_at > known.issued_at + by_s
