"""The Redis commands of a token cache: generators that yield commands and receive the replies. Performs no I/O.

An entry is a hash: the tokens, and the latest holder of the lock. The lock is a separate key that expires. Both use the
cache key as hash tag (`{…}`), so that they are in the same slot of a cluster.
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

# Repeating the command after a lost reply must succeed: the current holder gets the lock again.
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
# Rejects a holder whose lease has expired and been taken by another: the other's pair is newer.
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
    """Returns Unix seconds."""

    def read(self, key: str) -> Talk[TokenSet | None]:
        """Read the tokens under a key, or None.

        Raises:
            Unreadable: the entry cannot be decrypted or was not written by this cache.
        """
        stored = yield "HGET", self._name(key), "tokens"
        if stored is None:
            return None
        return unclose(self.cipher, key, stored.encode() if isinstance(stored, str) else stored)

    def write(self, key: str, tokens: TokenSet, holder: str) -> Talk[bool]:
        """Store tokens, replacing any others.

        Args:
            key: The cache key.
            tokens: The tokens to store.
            holder: The holder of the lock; empty if the lock was not acquired.

        Returns:
            Whether they were stored; False if another holder has acquired the lock since.
        """
        sealed = close(self.cipher, key, tokens)
        stored = yield "EVAL", STORE, 1, self._name(key), holder, sealed, self._milliseconds_to_keep(tokens)
        return bool(stored)

    def remove(self, key: str) -> Talk[None]:
        """Delete the tokens under a key."""
        yield "HDEL", self._name(key), "tokens"

    def acquire(self, key: str, holder: str, lease_s: float) -> Talk[bool]:
        """Acquire the lock of an entry, which expires with the lease; False if another holder has it."""
        lease, kept = milliseconds(lease_s), milliseconds(KEPT_S)
        taken = yield "EVAL", ACQUIRE, 2, self._name(key), self._lock(key), holder, lease, kept
        return bool(taken)

    def release(self, key: str, holder: str) -> Talk[None]:
        """Release the lock, unless it has expired and another holder has it."""
        yield "EVAL", RELEASE, 1, self._lock(key), holder

    def _name(self, key: str) -> str:
        return f"{self.prefix}{{{key}}}"

    def _lock(self, key: str) -> str:
        return f"{self._name(key)}:lock"

    def _milliseconds_to_keep(self, tokens: TokenSet) -> int:
        """How long the tokens can be of use."""
        if tokens.refresh_token is not None or tokens.expires_at is None:
            return milliseconds(KEPT_S)
        return max(1, milliseconds(tokens.expires_at - self.now()))


def milliseconds(seconds: float) -> int:
    """Convert seconds to milliseconds, the unit of Redis."""
    return round(seconds * 1000)
