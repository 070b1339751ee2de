"""Limits attempts, per account and per address, so that passwords and codes cannot be guessed.

An attempt is counted before it is checked, so that concurrent attempts cannot exceed the limit. A complete sign-in
resets the counter of the account but not that of the address, because an attacker may have an account too. Accounts
that do not exist are counted in the same way. Without Redis, sign-in is not possible.
"""

# redis-py leaves `pipeline` untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Final

import attrs

from redcore_server.auth.secret import digest
from redcore_server.clock import Clock
from redcore_server.store.redis import AsyncRedis

WINDOW_S: Final = 900
PER_ACCOUNT: Final = 10
PER_ADDRESS: Final = 100


class TooManyAttempts(Exception):  # noqa: N818 - reads as the state it reports
    """The account or the address has used up its attempts in the current window."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many attempts, wait {retry_after_s} s")
        self.retry_after_s = retry_after_s


@attrs.frozen
class Attempts:
    """The counters, in windows aligned to the clock.

    Attributes:
        redis: Redis with the counters.
        clock: Source of the current time.
        purpose: Kind of attempt; each has its own counters.
    """

    redis: AsyncRedis
    clock: Clock
    purpose: str = "sign-in"

    async def spend(self, *, account: str, address: str) -> None:
        """Count one attempt.

        Args:
            account: Account of the attempt, whether or not it exists.
            address: Client address.

        Raises:
            TooManyAttempts: The limit is reached; this attempt must not be checked.
        """
        by_account = await self._add(self._key("account", account), 1)
        by_address = await self._add(self._key("address", address), 1)
        if by_account > PER_ACCOUNT or by_address > PER_ADDRESS:
            raise TooManyAttempts(WINDOW_S - int(self.clock.time()) % WINDOW_S)

    async def refund(self, *, account: str, address: str) -> None:
        """Uncount a successful attempt.

        Args:
            account: Account of the attempt.
            address: Client address of the attempt.
        """
        for key in (self._key("account", account), self._key("address", address)):
            await self._add(key, -1)

    async def forget(self, account: str) -> None:
        """Reset the attempts on an account.

        Args:
            account: Account of the complete sign-in.
        """
        await self.redis.delete(self._key("account", account))

    async def _add(self, key: str, number: int) -> int:
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.incrby(key, number)
            pipeline.expire(key, 2 * WINDOW_S)
            count, _ = await pipeline.execute()
        return int(count)

    def _key(self, kind: str, subject: str) -> str:
        window = int(self.clock.time()) // WINDOW_S
        # A digest, because addresses and e-mails are personal data; the lab's reset deletes keys with `rate:`.
        return f"rate:{self.purpose}:{kind}:{{{digest(subject).hex()}}}:{window}"
