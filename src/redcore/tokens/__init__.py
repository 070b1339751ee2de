"""Tokens and where they are kept."""

from redcore.tokens.cache import MemoryCache, TokenCache
from redcore.tokens.token_set import TokenSet

__all__ = ["MemoryCache", "TokenCache", "TokenSet"]
