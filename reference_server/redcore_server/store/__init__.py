"""The stores: PostgreSQL for what must last, Redis for tokens, sessions and rate counters.

Here they are opened and closed together; what is in them belongs to the modules that use them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs

from redcore_server.store.postgres import AsyncPool, async_pool
from redcore_server.store.redis import AsyncRedis, Scripts, open_redis

__all__ = ["Stores", "open_stores"]


@attrs.frozen
class Stores:
    """The open stores of one process, for its asyncio side."""

    postgres: AsyncPool
    redis: AsyncRedis
    scripts: Scripts = attrs.field(init=False, default=attrs.Factory(lambda self: Scripts(self.redis), takes_self=True))


@asynccontextmanager
async def open_stores(database_url: str, redis_url: str) -> AsyncGenerator[Stores]:
    """Open both stores and close them at the end.

    Args:
        database_url: of a migrated database.
        redis_url: see `redcore_server.store.redis.async_redis`.

    Raises:
        StoreError: one of them cannot be used.
    """
    async with open_redis(redis_url) as redis, async_pool(database_url) as postgres:
        yield Stores(postgres=postgres, redis=redis)
