"""Ends all grants of a user or an application, and a user's browser sessions, at once and on every node.

For the API, which decides that: it calls this after its transaction has committed, because a token request
that comes between sees the committed change and takes its own grant back. API keys need no call: they are
read from PostgreSQL each time. Where Redis has replicas, one of them has it all before this returns.
"""

# redis-py leaves its commands partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import cast

import attrs

from redcore_server.auth.oauth.device_store import end_approvals
from redcore_server.auth.people.sessions import end_sessions
from redcore_server.auth.tokens import redis_keys
from redcore_server.store import Stores


@attrs.frozen
class Revocation:
    """Revokes by owner or by client."""

    stores: Stores

    async def revoke_user(self, user_id: str) -> int:
        """End every grant of a user, whatever the application, every browser session, and what could become a grant.

        Args:
            user_id: Id of the user who was deactivated or deleted.

        Returns:
            How many grants were on record.

        Raises:
            RedisError: It is not done; asking again does the rest.
        """
        # The sessions first: one that lives could still authorise a new grant.
        await end_sessions(self.stores, user_id)
        await end_approvals(self.stores, user_id)
        return await self._revoke(redis_keys.of_owner(user_id))

    async def revoke_client(self, client_id: str) -> int:
        """End every grant of an application, whoever the user.

        Args:
            client_id: Of the application that was deleted.

        Returns:
            How many grants were on record.
        """
        return await self._revoke(redis_keys.of_client(client_id))

    async def _revoke(self, index: str) -> int:
        redis = self.stores.redis
        grant_ids = cast("list[str]", await redis.zrange(index, 0, -1))
        if grant_ids:
            async with redis.pipeline(transaction=False) as pipeline:
                for grant_id in grant_ids:
                    pipeline.delete(*redis_keys.family(grant_id))
                await pipeline.execute()
            await self.stores.scripts.replicated(map(redis_keys.grant, grant_ids))
            # After the grants: an interrupted revocation can be repeated.
            await redis.zrem(index, *grant_ids)
        return len(grant_ids)
