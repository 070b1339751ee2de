"""Checks the credential of a request and counts the request against its rate limit, in one round trip if possible.

The owner of a token is known only after its check, and counting after that costs a second round trip to Redis. So the
owner of a credential that was valid in the current second is remembered, and check and count run at once. This does not
skip authentication: every request waits for its own check.
"""

from __future__ import annotations

from redcore_server.auth.credentials.principal import Principal, Verifier
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken
from redcore_server.gateway.limits import Limits, Verdict


class Admission:
    """Admits requests to one gateway, and remembers the credentials that were valid in the current second.

    A revoked credential must not use up the quota of the caller's other credentials. So it is forgotten when it is
    refused and at the end of each second: it can still be counted only until its first refusal, within a second of its
    last valid use.
    """

    def __init__(self, verifier: Verifier, limits: Limits, clock: Clock) -> None:
        """Start with no remembered credentials.

        Args:
            verifier: Verifies bearer tokens.
            limits: Rate limits.
        """
        self._verifier = verifier
        self._limits = limits
        self._clock = clock
        self._second = 0
        self._good: dict[str, Principal] = {}  # not by digests: they live for a second, and one costs 1 µs

    async def check(self, bearer: str) -> tuple[Principal, Verdict]:
        """Return the owner of the credential, and the rate-limit verdict on this request.

        Args:
            bearer: Bearer token, as the verifier takes it.

        Raises:
            InvalidToken: Or a subclass; see `Verifier.verify`.
            ServiceUnavailable: See `Verifier.verify`.
        """
        good = self._of_this_second()
        expected = good.get(bearer)
        try:
            if expected is None:
                principal = await self._verifier.verify(bearer)
                verdict = await self._limits.spend_credential(principal)
            else:
                principal, verdict = await self._check_and_count(bearer, expected)
        except InvalidToken:
            good.pop(bearer, None)
            raise
        good[bearer] = principal
        return principal, verdict

    async def _check_and_count(self, bearer: str, expected: Principal) -> tuple[Principal, Verdict]:
        # Counted here, so that it shares a round trip with the check; the same token always has the same owner.
        counting = self._limits.spend_credential(expected)
        try:
            principal = await self._verifier.verify(bearer)
        finally:
            verdict = await counting
        return principal, verdict

    def _of_this_second(self) -> dict[str, Principal]:
        second = int(self._clock.time())
        if second != self._second:
            self._second, self._good = second, {}
        return self._good
