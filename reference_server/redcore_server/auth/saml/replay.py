"""Records used assertions in Redis, so that each is accepted only once across all nodes."""

from __future__ import annotations

import hashlib
from typing import Final

import attrs

from redcore_server.auth.saml.conditions import LEEWAY_S, MAX_LIFETIME_S
from redcore_server.store.redis import AsyncRedis

# Longer than any assertion is accepted, plus a day for a clock that the lab may have moved.
_GARBAGE_S: Final = MAX_LIFETIME_S + LEEWAY_S + 24 * 3600


@attrs.frozen
class Replays:
    """The used assertions."""

    redis: AsyncRedis

    async def use(self, issuer: str, assertion_id: str) -> bool:
        """Consume an assertion; of concurrent callers with the same one exactly one gets True.

        Args:
            issuer: Issuer of the assertion; ids are unique per issuer.
            assertion_id: Id of an assertion that passed all other checks.
        """
        name = hashlib.sha256(f"{issuer}\0{assertion_id}".encode()).hexdigest()
        return bool(await self.redis.set(f"saml:replay:{{{name}}}", "1", nx=True, ex=_GARBAGE_S))
