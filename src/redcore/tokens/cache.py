"""Token caches: the protocols that a cache implements, and the cache that keeps tokens in memory."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

from redcore._base.public import public
from redcore.tokens.token_set import TokenSet


@public
class TokenCache(Protocol):
    """The interface of a token cache; implement these three methods to write your own.

    The key identifies the owner of the tokens; it contains no secret. An implementation MUST be thread-safe, and `get`
    MUST return what the last `set` for the key stored. The SDK ensures that among all callers that share a cache
    object, only one refreshes a token at a time. Objects must be hashable and allow weak references, as objects of
    ordinary classes do. `AsyncClient` calls the methods in a thread, because they may block.

    An implementation may raise any exception: the SDK then keeps tokens in memory and warns once, or, if the cache has
    an attribute `strict` that is true, raises `TokenCacheError`.
    """

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None."""
        ...

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, replacing any others."""
        ...

    def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any."""
        ...


class AsyncTokenCache(Protocol):
    """Like `TokenCache`, for `AsyncClient` only: each method is a coroutine function."""

    async def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None."""
        ...

    async def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, replacing any others."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any."""
        ...


@runtime_checkable
class SharedTokenCache(TokenCache, Protocol):
    """A cache shared by several processes: a lock for each key ensures that only one of them refreshes a token."""

    def try_lock(self, key: str, lease_s: float) -> bool:
        """Acquire the lock of a key without waiting.

        The lock MUST be released automatically when its holder dies: immediately, or when the lease expires.

        Args:
            key: As for the tokens.
            lease_s: Maximum time the lock is needed, in seconds.

        Returns:
            Whether it was acquired, which it is if no other process or thread holds it.
        """
        ...

    def unlock(self, key: str) -> None:
        """Release the lock of a key, unless another holder has acquired it since."""
        ...


@runtime_checkable
class AsyncSharedTokenCache(AsyncTokenCache, Protocol):
    """Like `SharedTokenCache`, for `AsyncClient` only."""

    async def try_lock(self, key: str, lease_s: float) -> bool:
        """Acquire the lock of a key without waiting."""
        ...

    async def unlock(self, key: str) -> None:
        """Free the lock of a key."""
        ...


AnyTokenCache: TypeAlias = TokenCache | AsyncTokenCache


@public
class MemoryCache:
    """Keeps tokens in memory until the process exits; shared by all clients that use the same object."""

    def __init__(self) -> None:
        self._tokens: dict[str, TokenSet] = {}  # single dict operations are thread-safe

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None."""
        return self._tokens.get(key)

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, replacing any others."""
        self._tokens[key] = tokens

    def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any."""
        self._tokens.pop(key, None)

    def __repr__(self) -> str:
        return f"MemoryCache({len(self._tokens)} entries)"
