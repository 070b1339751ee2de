"""Ends all grants of a user or an application, and a user's browser sessions, immediately and on every node.

The API calls this after its transaction has committed, because a token request in between sees the committed change and
revokes its own grant. API keys need no call: they are read from PostgreSQL each time. If Redis has replicas, one of
them has confirmed the writes before this returns.
"""

# redis-py leaves its commands partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import cast

import attrs

from redcore_server.auth.oauth.code_store import end_codes
from redcore_server.auth.oauth.device_store import end_approvals
from redcore_server.auth.people.sessions import end_sessions
from redcore_server.auth.tokens import redis_keys
from redcore_server.store import Stores


@attrs.frozen
class Revocation:
    """Revokes grants by owner or by client."""

    stores: Stores

    async def revoke_user(self, user_id: str) -> int:
        """End every grant of a user for any application, every browser session, and every pending code and approval.

        Args:
            user_id: Id of the user who was deactivated or deleted.

        Returns:
            Number of grants found.

        Raises:
            RedisError: The revocation is incomplete; calling again completes it.
        """
        # Sessions first: a live one could still authorise a new grant.
        await end_sessions(self.stores, user_id)
        await end_codes(self.stores, user_id)
        await end_approvals(self.stores, user_id)
        return await self._revoke(redis_keys.of_owner(user_id))

    async def revoke_client(self, client_id: str) -> int:
        """End every grant of an application, for all users.

        Args:
            client_id: Client id of the deleted application.

        Returns:
            Number of grants found.
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
            # Deleted after the grants, so that an interrupted revocation can be repeated.
            await redis.zrem(index, *grant_ids)
        return len(grant_ids)
