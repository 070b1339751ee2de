"""Counts attempts to sign in, per account and per address, so that passwords and codes cannot be guessed.

An attempt is counted before it is judged: of many at once no more than the limit is judged. The count of an account
is forgotten when somebody signs in completely, that of an address is not: an attacker may have an account too.
Accounts that do not exist are counted alike. Redis away means no sign-in.
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
    """The account or the address has used up its attempts for now."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many attempts, wait {retry_after_s} s")
        self.retry_after_s = retry_after_s


@attrs.frozen
class Attempts:
    """The counters, in windows aligned to the clock."""

    redis: AsyncRedis
    clock: Clock

    async def spend(self, *, account: str, address: str) -> None:
        """Count one attempt.

        Args:
            account: what somebody tries to sign in to, whether or not it exists.
            address: of the client.

        Raises:
            TooManyAttempts: this one shall not be judged.
        """
        by_account = await self._count(self._key("account", account))
        by_address = await self._count(self._key("address", address))
        if by_account > PER_ACCOUNT or by_address > PER_ADDRESS:
            raise TooManyAttempts(WINDOW_S - int(self.clock.time()) % WINDOW_S)

    async def forget(self, account: str) -> None:
        """Forget the attempts on an account.

        Args:
            account: to which somebody signed in.
        """
        await self.redis.delete(self._key("account", account))

    async def _count(self, key: str) -> int:
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * WINDOW_S)
            count, _ = await pipeline.execute()
        return int(count)

    def _key(self, kind: str, subject: str) -> str:
        window = int(self.clock.time()) // WINDOW_S
        # A digest, because an address or e-mail is somebody's; `rate:` is what the lab's reset forgets.
        return f"rate:sign-in:{kind}:{{{digest(subject).hex()}}}:{window}"
