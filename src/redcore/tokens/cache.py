"""Where tokens are kept between calls."""

from __future__ import annotations

from typing import Protocol

from redcore.tokens.token_set import TokenSet


class TokenCache(Protocol):
    """What a token cache must do; write your own by writing these three methods.

    The key names whose tokens they are; it holds no secret. An implementation MUST be safe to call from several
    threads, and MUST return from `get` what the last `set` for the key stored. The SDK itself sees to it that of all
    callers sharing a cache object only one renews a token at a time. Objects must allow weak references and be
    hashable, as those of ordinary classes are.
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
