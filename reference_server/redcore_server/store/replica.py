"""Reads on a replica of PostgreSQL that show whatever their organisation has written.

After each commit the position of PostgreSQL's log is kept in Redis, one mark for each organisation, whichever process
wrote. A read looks at the mark and takes the replica if that has come as far, else the primary. Where something cannot
be known (Redis, replica or primary away for long), the primary answers. The key is the organisation's, not the
caller's: a colleague who is handed an id must find it (docs/adr/0051-reads-on-a-replica.md).

    a mark lives for 60 s ── no mark: the organisation has not written for that long
    a replica must show the primary of 30 s ago, or newer ── so what has no mark is on it
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import psycopg
import structlog
from redis.exceptions import RedisError

from redcore_server.store.postgres import AsyncPool, AsyncPostgres, Lent, queries
from redcore_server.store.redis import AsyncRedis, Scripts

_MARK_S: Final = 60
_FRESH_S: Final = _MARK_S / 2  # half: a mark that Redis has just forgotten is older than what the replica shows
_SAMPLE_S: Final = 1.0  # how often the replica is compared with the primary
_TRIES: Final = 100  # of a mark that could not be written, every half second; readers see no Redis meanwhile either
_PAUSE_S: Final = 0.5
_SCRIPT: Final = Path(__file__).with_name("mark.lua")
_QUERIES: Final = queries("replica")
_AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError)
_log = structlog.stdlib.get_logger("redcore_server.store")


class Marks:
    """How far PostgreSQL's log had come when each organisation last wrote."""

    def __init__(self, redis: AsyncRedis, scripts: Scripts) -> None:
        """Keep them in Redis.

        Args:
            redis: To read with.
            scripts: To write with.
        """
        self._redis = redis
        self._raise = scripts.script(_SCRIPT.read_text(encoding="utf-8"))
        self._late: set[asyncio.Task[None]] = set()

    async def note(self, connection: AsyncPostgres, organisation_id: str) -> None:
        """Keep where the log stands; a mark that cannot be written now is tried again until it is.

        Args:
            connection: On which the organisation's data were committed, to the primary.
            organisation_id: Whose they are.
        """
        try:
            position = await log_position(connection)
            await self._write(organisation_id, position)
        except (*_AWAY, RedisError) as error:
            _log.warning("the mark of a write is late", organisation_id=organisation_id, problem=str(error))

    async def of(self, organisation_id: str) -> int:
        """Return the position that a replica must have reached to answer an organisation; 0 if any will do.

        Args:
            organisation_id: Who asks.

        Raises:
            RedisError: It cannot be known.
        """
        mark = await self._redis.get(_key(organisation_id))
        return int(str(mark)) if mark else 0

    async def _write(self, organisation_id: str, position: int) -> None:
        try:
            await self._raise([_key(organisation_id)], [position, _MARK_S])
        except RedisError:
            task = asyncio.create_task(self._write_late(organisation_id, position))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            raise

    async def _write_late(self, organisation_id: str, position: int) -> None:
        for _ in range(_TRIES):
            await asyncio.sleep(_PAUSE_S)
            with contextlib.suppress(RedisError):
                await self._raise([_key(organisation_id)], [position, _MARK_S])
                return


class Replica:
    """The replica of this process's zone."""

    def __init__(self, pool: AsyncPool, primary: AsyncPool, marks: Marks) -> None:
        """Trust it when it has been compared with the primary.

        Args:
            pool: To the replica.
            primary: To compare it with.
            marks: What organisations have written.
        """
        self._pool = pool
        self._primary = primary
        self._marks = marks
        self._reached = 0
        self._as_of = float("-inf")

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Compare it with the primary again and again, until the end of the block."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @contextlib.asynccontextmanager
    async def lend(self, organisation_id: str) -> AsyncGenerator[AsyncPostgres | None]:
        """Lend a connection on which an organisation finds all that it has written; None if the primary must answer.

        Args:
            organisation_id: Who asks.
        """
        if self._pool.is_away or time.monotonic() - self._as_of > _FRESH_S:
            yield None
            return
        async with contextlib.AsyncExitStack() as stack:
            connection: AsyncPostgres | None = None
            with contextlib.suppress(*_AWAY, RedisError):
                mark = await self._marks.of(organisation_id)
                connection = await stack.enter_async_context(Lent(self._pool))
                if not await self._has(connection, mark):
                    connection = None
            yield connection

    def distrust(self) -> None:
        """Use the primary until the replica has been compared with it again."""
        self._as_of = float("-inf")

    async def _has(self, connection: AsyncPostgres, mark: int) -> bool:
        if mark > self._reached:
            self._reached = await log_position(connection)
        return mark <= self._reached

    async def _watch(self) -> None:
        while True:
            try:
                await self._compare()
            except _AWAY as error:
                _log.warning("the replica cannot be compared with the primary", problem=str(error))
            await asyncio.sleep(_SAMPLE_S)

    async def _compare(self) -> None:
        """Learn how old what the replica shows may be: it shows all that the primary had when it was asked before."""
        asked_at = time.monotonic()
        async with Lent(self._primary) as connection:
            position = await log_position(connection)
        deadline = asked_at + _FRESH_S
        while time.monotonic() < deadline:
            async with Lent(self._pool) as connection:
                self._reached = await log_position(connection)
            if self._reached >= position:
                self._as_of = asked_at
                return
            await asyncio.sleep(_SAMPLE_S)


async def log_position(connection: AsyncPostgres) -> int:
    """Return how far a server has come: a primary with writing, a replica with replaying, in bytes of the log.

    Args:
        connection: To the server.
    """
    row = await (await connection.execute(_QUERIES["position"])).fetchone()
    return int(row["position"]) if row else 0


def _key(organisation_id: str) -> str:
    return f"mark:{{{organisation_id}}}"
