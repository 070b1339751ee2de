"""Limits attempts, so that passwords and codes cannot be guessed and no one can lock another person out.

An attempt counts three times: for the account from this address, for the address, and for the account from everywhere.
The last count is high, and does not hold at addresses from which that account signed in before: guesses from many
addresses end there, while the owner's own address still gets in (docs/adr/0060-nobody-is-locked-out-by-others.md).

An attempt is counted before it is checked, so that concurrent attempts cannot exceed a limit. A complete sign-in
resets the count of the account from this address but not that of the address, because an attacker may have an account
too. Accounts that do not exist are counted in the same way. Without Redis, sign-in is not possible.
"""

# redis-py leaves `pipeline` untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from redcore_server.auth.secret import digest
from redcore_server.clock import Clock
from redcore_server.store.redis import AsyncRedis

Step = Literal["password", "code"]

WINDOW_S: Final = 900  # docs/adr/0013-passwords-and-second-factors.md
PER_ACCOUNT: Final = 10  # from one address
PER_ADDRESS: Final = 100  # an office behind one address; ADR 13
# NIST SP 800-63B section 5.2.2 allows no more than 100 failures in a row. Six digits are guessed sooner, and a
# person who gets that far knows the password.
EVERYWHERE: Final[Mapping[Step, int]] = {"password": 100, "code": 10}
KNOWN_S: Final = 30 * 24 * 3600  # as long as a refresh token lives


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
        purpose: Kind of attempt; each has its own counters.
    """

    redis: AsyncRedis
    clock: Clock
    purpose: str = "sign-in"

    async def spend(self, *, account: str, address: str, step: Step = "password") -> bool:
        """Count one attempt, and return whether the account signed in from the address before.

        Args:
            account: Account of the attempt, whether or not it exists.
            address: Client address.
            step: What is checked.

        Raises:
            TooManyAttempts: A limit is reached; this attempt must not be checked.
        """
        here, by_address, everywhere = [await self._add(key, 1) for key in self._keys(account, address, step)]
        is_known = bool(await self.redis.exists(self._known(account, address)))
        if here > PER_ACCOUNT or by_address > PER_ADDRESS or (everywhere > EVERYWHERE[step] and not is_known):
            raise TooManyAttempts(WINDOW_S - int(self.clock.time()) % WINDOW_S)
        return is_known

    async def refund(self, *, account: str, address: str) -> None:
        """Uncount a successful attempt.

        Args:
            account: Account of the attempt.
            address: Client address of the attempt.
        """
        for key in self._keys(account, address, "password"):
            await self._add(key, -1)

    async def succeed(self, *, account: str, address: str) -> None:
        """Reset the attempts on an account from an address, and remember the address as the account's.

        Args:
            account: Account of the complete sign-in.
            address: Client address of the sign-in.
        """
        here, *_ = self._keys(account, address, "password")
        await self.redis.delete(here)
        await self.redis.set(self._known(account, address), 1, ex=KNOWN_S)

    async def _add(self, key: str, number: int) -> int:
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.incrby(key, number)
            pipeline.expire(key, 2 * WINDOW_S)
            count, _ = await pipeline.execute()
        return int(count)

    def _keys(self, account: str, address: str, step: Step) -> tuple[str, str, str]:
        # Password and code from one address share a count.
        here = self._key("here", f"{account} {address}")
        return here, self._key("address", address), self._key(f"{step}:everywhere", account)

    def _key(self, kind: str, subject: str) -> str:
        window = int(self.clock.time()) // WINDOW_S
        # The lab's reset deletes keys with `rate:`.
        return f"rate:{self.purpose}:{kind}:{{{_hidden(subject)}}}:{window}"

    def _known(self, account: str, address: str) -> str:
        return f"known:{self.purpose}:{{{_hidden(f'{account} {address}')}}}"


def _hidden(subject: str) -> str:
    """Return a digest, because addresses and e-mails are personal data."""
    return digest(subject).hex()
