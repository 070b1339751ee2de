"""Counts attempts, per account and per address, so that passwords and codes cannot be guessed.

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
    """The counters, in windows aligned to the clock.

    Attributes:
        redis: Where they are.
        clock: Source of the current time.
        purpose: What is attempted; each has counters of its own.
    """

    redis: AsyncRedis
    clock: Clock
    purpose: str = "sign-in"

    async def spend(self, *, account: str, address: str) -> None:
        """Count one attempt.

        Args:
            account: What somebody tries to sign in to, whether or not it exists.
            address: Client address.

        Raises:
            TooManyAttempts: This one shall not be judged.
        """
        by_account = await self._add(self._key("account", account), 1)
        by_address = await self._add(self._key("address", address), 1)
        if by_account > PER_ACCOUNT or by_address > PER_ADDRESS:
            raise TooManyAttempts(WINDOW_S - int(self.clock.time()) % WINDOW_S)

    async def refund(self, *, account: str, address: str) -> None:
        """Take an attempt back that was right.

        Args:
            account: As it was spent.
            address: As it was spent.
        """
        for key in (self._key("account", account), self._key("address", address)):
            await self._add(key, -1)

    async def forget(self, account: str) -> None:
        """Forget the attempts on an account.

        Args:
            account: To which somebody signed in.
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
        # A digest, because an address or e-mail is somebody's; `rate:` is what the lab's reset forgets.
        return f"rate:{self.purpose}:{kind}:{{{digest(subject).hex()}}}:{window}"
