"""Tokens and token caches. Caches other than `MemoryCache` are loaded on first use."""

from typing import TYPE_CHECKING, Any

from redcore.tokens.cache import AsyncSharedTokenCache, AsyncTokenCache, MemoryCache, SharedTokenCache, TokenCache
from redcore.tokens.token_set import TokenSet

if TYPE_CHECKING:
    from redcore.tokens.file import FileCache
    from redcore.tokens.keyring import KeyringCache
    from redcore.tokens.redis import AsyncRedisCache, RedisCache
    from redcore.tokens.redis_client import RedisClient
else:
    from importlib import import_module

    _HOMES = {
        "AsyncRedisCache": "redcore.tokens.redis",
        "FileCache": "redcore.tokens.file",
        "KeyringCache": "redcore.tokens.keyring",
        "RedisCache": "redcore.tokens.redis",
        "RedisClient": "redcore.tokens.redis_client",
    }

    def __getattr__(name: str) -> Any:
        """Load a cache on first use."""
        if name not in _HOMES:
            raise AttributeError(f"module 'redcore.tokens' has no attribute {name!r}", name=name)
        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        """All names, including those not loaded yet."""
        return sorted({*globals(), *__all__})


__all__ = [
    "AsyncRedisCache",
    "AsyncSharedTokenCache",
    "AsyncTokenCache",
    "FileCache",
    "KeyringCache",
    "MemoryCache",
    "RedisCache",
    "RedisClient",
    "SharedTokenCache",
    "TokenCache",
    "TokenSet",
]
