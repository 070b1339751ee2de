"""Checks the credential of a request and counts the request against its rate limit, in one trip where it can.

Whom a token stands for is sure only when it has been checked, and to count after that is a second trip to Redis. Of a
credential that was good in this same second it is remembered whom it stood for, so that both are asked at once. That
lets nobody in: every request waits for its own check.
"""

from __future__ import annotations

from redcore_server.auth.credentials.principal import Principal, Verifier
from redcore_server.auth.secret import digest
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken
from redcore_server.gateway.limits import Limits, Verdict


class Admission:
    """Admits requests to one gateway, and remembers the credentials that were good in this second of the clock.

    A revoked credential must not use up what others of the same caller have left. So it is forgotten when it is
    refused, and with the second: all that it still spends came before the news of its end, within a second of use.
    """

    def __init__(self, verifier: Verifier, limits: Limits, clock: Clock) -> None:
        """Start without memories.

        Args:
            verifier: Verifies bearer tokens.
            limits: Of requests.
            clock: Source of the current time.
        """
        self._verifier = verifier
        self._limits = limits
        self._clock = clock
        self._second = 0
        self._good: dict[bytes, Principal] = {}

    async def check(self, bearer: str) -> tuple[Principal, Verdict]:
        """Return whose credential this is, and whether it may make this request.

        Args:
            bearer: As the verifier takes it.

        Raises:
            InvalidToken: See `Verifier.verify`; with its subclasses.
            ServiceUnavailable: Likewise.
        """
        good, name = self._of_this_second(), digest(bearer)
        expected = good.get(name)
        try:
            if expected is None:
                principal = await self._verifier.verify(bearer)
                verdict = await self._limits.spend_credential(principal)
            else:
                principal, verdict = await self._check_and_count(bearer, expected)
        except InvalidToken:
            good.pop(name, None)
            raise
        good[name] = principal
        return principal, verdict

    async def _check_and_count(self, bearer: str, expected: Principal) -> tuple[Principal, Verdict]:
        # It is asked for here, so that it travels with the check; the same text always stands for the same caller.
        counting = self._limits.spend_credential(expected)
        try:
            principal = await self._verifier.verify(bearer)
        finally:
            verdict = await counting
        return principal, verdict

    def _of_this_second(self) -> dict[bytes, Principal]:
        second = int(self._clock.time())
        if second != self._second:
            self._second, self._good = second, {}
        return self._good
