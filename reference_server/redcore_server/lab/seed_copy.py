"""Keeps a copy of the seeded data in the database and restores it."""

# redis-py leaves its commands partly untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from typing import Final

from redcore_server.gateway.limits import KEY_PREFIX
from redcore_server.store import Stores
from redcore_server.store.postgres import queries

_QUERIES: Final = queries("lab")
_POLL_S: Final = 0.004  # a job takes about 10 ms, and every test that created a user waits for one
_TIMEOUT_S: Final = 10  # a thousand times as long as a job takes


class SeedCopy:
    """The copy of one database, created on first use and stored in it, so that it outlives the process."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._lock = asyncio.Lock()
        self._is_kept = False

    async def keep(self) -> None:
        """Create the copy unless it exists."""
        if self._is_kept:
            return
        async with self._lock, self._stores.postgres.connection() as connection, connection.transaction():
            await connection.execute(_QUERIES["keep"])
            self._is_kept = True

    async def restore(self) -> None:
        """Restore the copy; newer data are deleted, except for organisations with credentials.

        Raises:
            TimeoutError: A job did not end within ten seconds.
        """
        async with asyncio.timeout(_TIMEOUT_S):
            await self._end_jobs()
        async with self._stores.postgres.connection() as connection, connection.transaction():
            await connection.execute(_QUERIES["restore"])

    async def _end_jobs(self) -> None:
        """Delete waiting jobs and let running ones finish, or they would send mail after the reset."""
        async with self._stores.postgres.connection() as connection:
            while True:
                async with connection.transaction():
                    await connection.execute(_QUERIES["delete_waiting_jobs"])
                    cursor = await connection.execute(_QUERIES["running_jobs"])
                    if await cursor.fetchone() is None:
                        return
                await asyncio.sleep(_POLL_S)

    async def forget_rates(self) -> None:
        """Delete the counters of the rate limits."""
        redis = self._stores.redis
        async for key in redis.scan_iter(match=f"{KEY_PREFIX}*", count=1000):
            await redis.unlink(key)
