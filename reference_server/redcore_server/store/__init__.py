"""The stores: PostgreSQL for durable data, Redis for tokens, sessions and rate counters.

They are opened and closed together here; the modules that use them own their content.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import attrs

from redcore_server.store.postgres import CONNECTIONS, AsyncPool, async_pool, replica_pool
from redcore_server.store.reader import Reader
from redcore_server.store.redis import AsyncRedis, RedisOptions, Scripts, open_redis
from redcore_server.store.replica import Marks, Replica

__all__ = ["StoreOptions", "Stores", "open_stores"]

_THREADS_CONNECTIONS: Final = 2  # of the auth service's own pool


@attrs.frozen(kw_only=True)
class StoreOptions:
    """How a process uses the stores.

    Attributes:
        replica_url: URL of a replica for reads; None reads from the primary.
        database_connections: Maximum connections to each PostgreSQL server.
        redis: Redis options.
        statement_s: Statement timeout of PostgreSQL in seconds; 0 disables it.
    """

    replica_url: str | None = attrs.field(default=None, repr=False)
    database_connections: int = CONNECTIONS
    redis: RedisOptions = attrs.field(factory=RedisOptions)
    statement_s: float = 0


@attrs.frozen
class Stores:
    """The open stores of one process, for its asyncio side.

    Attributes:
        postgres: The primary.
        reader: Reads from the primary.
        redis: Redis client.
        replica: Replica for reads; None without one.
        scripts: Lua scripts on `redis`.
        marks: Log positions of the organisations' last writes.
    """

    postgres: AsyncPool
    redis: AsyncRedis
    replica: Replica | None = None
    reader: Reader = attrs.field(init=False, default=attrs.Factory(lambda self: Reader(self.postgres), takes_self=True))
    scripts: Scripts = attrs.field(init=False, default=attrs.Factory(lambda self: Scripts(self.redis), takes_self=True))
    marks: Marks = attrs.field(
        init=False, default=attrs.Factory(lambda self: Marks(self.redis, self.scripts), takes_self=True)
    )


@asynccontextmanager
async def open_stores(database_url: str, redis_url: str, options: StoreOptions | None = None) -> AsyncGenerator[Stores]:
    """Open the stores and close them at the end.

    Args:
        database_url: URL of a migrated database.
        redis_url: See `redcore_server.store.redis.async_redis`.
        options: Store options of this process.

    Raises:
        StoreError: One of them cannot be used.
    """
    options = options or StoreOptions()
    most = max(1, options.database_connections - _THREADS_CONNECTIONS)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_redis(redis_url, options.redis))
        bound_s = options.statement_s
        postgres = await stack.enter_async_context(
            async_pool(database_url, min_size=min(2, most), max_size=most, statement_s=bound_s)
        )
        stores = Stores(postgres=postgres, redis=redis)
        if options.replica_url is not None:
            pool = await stack.enter_async_context(
                replica_pool(options.replica_url, max_size=most, statement_s=bound_s)
            )
            replica = Replica(pool, postgres, stores.marks)
            await stack.enter_async_context(replica.watched())
            stores = attrs.evolve(stores, replica=replica)
        yield stores
