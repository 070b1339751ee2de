"""What a token cache says to Redis: generators that yield commands and are sent the answers. Performs no I/O.

An entry is a hash: the tokens, and who took the lock last. Its lock is a key of its own that ends by itself. Both have
the cache key as their hash tag (`{…}`), so that they lie in one slot of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

import attrs

from redcore.tokens.encryption import Cipher, close, unclose
from redcore.tokens.token_set import TokenSet

T = TypeVar("T")
Command: TypeAlias = tuple[str | bytes | int, ...]
Talk: TypeAlias = Generator[Command, Any, T]

KEPT_S = 30 * 24 * 3600.0  # contract section 6: a refresh token lives for 30 days, sliding

# Asking again after a lost answer is no failure: whoever has the lock already gets it again.
ACQUIRE = """
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) and redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
"""
# Not for somebody whose lease has ended and who was followed by another: that one's pair is the newer.
STORE = """
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder and ARGV[1] ~= '' and holder ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'tokens', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""


@attrs.frozen(kw_only=True)
class RedisEntries:
    """The entries of one cache."""

    prefix: str
    cipher: Cipher = attrs.field(repr=False)
    now: Callable[[], float] = attrs.field(repr=False)
    """Gives Unix seconds."""

    def read(self, key: str) -> Talk[TokenSet | None]:
        """The tokens under a key; None if there are none.

        Raises:
            Unreadable: what is stored is not for us.
        """
        stored = yield "HGET", self._name(key), "tokens"
        if stored is None:
            return None
        return unclose(self.cipher, key, stored.encode() if isinstance(stored, str) else stored)

    def write(self, key: str, tokens: TokenSet, holder: str) -> Talk[bool]:
        """Store tokens, in place of what was there.

        Args:
            key: Under which.
            tokens: To store.
            holder: Who took the lock to do so; empty if nobody did.

        Returns:
            Whether they were stored; not if somebody else has taken the lock since.
        """
        sealed = close(self.cipher, key, tokens)
        stored = yield "EVAL", STORE, 1, self._name(key), holder, sealed, self._milliseconds_to_keep(tokens)
        return bool(stored)

    def remove(self, key: str) -> Talk[None]:
        """Forget the tokens under a key."""
        yield "HDEL", self._name(key), "tokens"

    def acquire(self, key: str, holder: str, lease_s: float) -> Talk[bool]:
        """Take the lock of an entry, which ends by itself when the lease is over; False if somebody else has it."""
        lease, kept = milliseconds(lease_s), milliseconds(KEPT_S)
        taken = yield "EVAL", ACQUIRE, 2, self._name(key), self._lock(key), holder, lease, kept
        return bool(taken)

    def release(self, key: str, holder: str) -> Talk[None]:
        """Give the lock back, unless it has ended and is somebody else's by now."""
        yield "EVAL", RELEASE, 1, self._lock(key), holder

    def _name(self, key: str) -> str:
        return f"{self.prefix}{{{key}}}"

    def _lock(self, key: str) -> str:
        return f"{self._name(key)}:lock"

    def _milliseconds_to_keep(self, tokens: TokenSet) -> int:
        """Until the tokens are of no more use to anybody."""
        if tokens.refresh_token is not None or tokens.expires_at is None:
            return milliseconds(KEPT_S)
        return max(1, milliseconds(tokens.expires_at - self.now()))


def milliseconds(seconds: float) -> int:
    """What Redis counts in."""
    return round(seconds * 1000)
