"""Where tokens are kept between calls: what a cache must do, and the one that keeps them in memory."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

from redcore._base.public import public
from redcore.tokens.token_set import TokenSet


@public
class TokenCache(Protocol):
    """What a token cache must do; write your own by writing these three methods.

    The key names whose tokens they are; it holds no secret. An implementation MUST be safe to call from several
    threads, and MUST return from `get` what the last `set` for the key stored. The SDK itself sees to it that of all
    callers sharing a cache object only one renews a token at a time. Objects must allow weak references and be
    hashable, as those of ordinary classes are. `AsyncClient` calls the methods in a thread, for they may block.

    An implementation may raise anything: the SDK then keeps tokens in memory and warns once, or, if the cache has an
    attribute `strict` that is true, raises `TokenCacheError`.
    """

    def get(self, key: str) -> TokenSet | None:
        """The tokens stored under a key; None if there are none."""
        ...

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, in place of what was there."""
        ...

    def delete(self, key: str) -> None:
        """Forget the tokens under a key, if there are any."""
        ...


class AsyncTokenCache(Protocol):
    """As `TokenCache`, for `AsyncClient` only: each method is a coroutine function."""

    async def get(self, key: str) -> TokenSet | None:
        """The tokens stored under a key; None if there are none."""
        ...

    async def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, in place of what was there."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the tokens under a key, if there are any."""
        ...


@runtime_checkable
class SharedTokenCache(TokenCache, Protocol):
    """A cache that several processes share: it has a lock for each key, so that one of them renews a token."""

    def try_lock(self, key: str, lease_s: float) -> bool:
        """Take the lock of a key, without waiting.

        The lock MUST become free by itself when its holder dies: at once, or when the lease is over.

        Args:
            key: As for the tokens.
            lease_s: How long it is needed at most, in seconds.

        Returns:
            Whether it was taken, which it is if no other process has it, nor another thread.
        """
        ...

    def unlock(self, key: str) -> None:
        """Free the lock of a key; one that another has taken since is left to them."""
        ...


@runtime_checkable
class AsyncSharedTokenCache(AsyncTokenCache, Protocol):
    """As `SharedTokenCache`, for `AsyncClient` only."""

    async def try_lock(self, key: str, lease_s: float) -> bool:
        """Take the lock of a key, without waiting."""
        ...

    async def unlock(self, key: str) -> None:
        """Free the lock of a key."""
        ...


AnyTokenCache: TypeAlias = TokenCache | AsyncTokenCache


@public
class MemoryCache:
    """Keeps tokens as long as the process lives; shared by all clients that are given the same object."""

    def __init__(self) -> None:
        self._tokens: dict[str, TokenSet] = {}  # single dict operations are atomic in threads

    def get(self, key: str) -> TokenSet | None:
        """The tokens stored under a key; None if there are none."""
        return self._tokens.get(key)

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, in place of what was there."""
        self._tokens[key] = tokens

    def delete(self, key: str) -> None:
        """Forget the tokens under a key, if there are any."""
        self._tokens.pop(key, None)

    def __repr__(self) -> str:
        return f"MemoryCache({len(self._tokens)} entries)"
