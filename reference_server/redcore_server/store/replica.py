"""Reads on a replica of PostgreSQL that include all earlier writes of their organisation.

After each commit the position of PostgreSQL's log is stored in Redis, one mark per organisation, for all processes. A
read uses the replica if it has replayed up to the mark, else the primary. If that is unknown (Redis, replica or primary
unavailable for long), the primary answers. The mark is per organisation, not per caller: a colleague who receives an id
must find it (docs/adr/0051-reads-on-a-replica.md).

    a mark lives for 60 s ── no mark: the organisation wrote nothing for that long
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
from prometheus_client import Counter
from redis.exceptions import RedisError

from redcore_server.store.ending import end
from redcore_server.store.postgres import AsyncPool, AsyncPostgres, Lent, queries
from redcore_server.store.reader import Reader
from redcore_server.store.redis import AsyncRedis, Scripts

_MARK_S: Final = 60  # see above
_FRESH_S: Final = _MARK_S / 2  # half: a mark that Redis has just expired is older than the replica's data
_SAMPLE_S: Final = 1.0  # how often the replica is compared with the primary
_TRIES: Final = 100  # retries of a failed mark, every half second; readers have no Redis meanwhile either
_PAUSE_S: Final = 0.5  # between these
_LOOKS_S: Final = (0.0, 0.005, 0.015)  # before each look; replay lags by 2 ms, by 18 at the 99th percentile
_SCRIPT: Final = Path(__file__).with_name("mark.lua")
_QUERIES: Final = queries("replica")
_AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError)
READS: Final = Counter("redcore_reads", "GET requests of the API, by the server that answered.", ["server"])
_log = structlog.stdlib.get_logger("redcore_server.store")


class Marks:
    """The log position of each organisation's last write."""

    def __init__(self, redis: AsyncRedis, scripts: Scripts) -> None:
        """Store the marks in Redis.

        Args:
            redis: Client for reads.
            scripts: Scripts for writes.
        """
        self._redis = redis
        self._raise = scripts.script(_SCRIPT.read_text(encoding="utf-8"))
        self._late: set[asyncio.Task[None]] = set()

    async def note(self, connection: AsyncPostgres, organisation_id: str) -> None:
        """Store the current log position; a mark that cannot be written now is retried until it is.

        Args:
            connection: Connection to the primary, on which the organisation's data were committed.
            organisation_id: Id of the owning organisation.
        """
        try:
            position = await log_position(connection)
            await self._write(organisation_id, position)
        except (*_AWAY, RedisError) as error:
            _log.warning("the mark of a write is late", organisation_id=organisation_id, problem=str(error))

    async def of(self, organisation_id: str) -> int:
        """Return the position that a replica must have reached to answer an organisation; 0 if any will do.

        Args:
            organisation_id: Organisation of the caller.

        Raises:
            RedisError: The position is unknown.
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
    """The replica of this process's zone.

    Attributes:
        reader: Reads from it; for an organisation whose writes it has, see `has`.
    """

    def __init__(self, pool: AsyncPool, primary: AsyncPool, marks: Marks) -> None:
        """Create it; it is used only after a comparison with the primary.

        Args:
            pool: Pool of the replica.
            primary: Pool of the primary, for the comparison.
            marks: Log positions of the organisations' last writes.
        """
        self.reader = Reader(pool)
        self._pool = pool
        self._primary = primary
        self._marks = marks
        self._reached = 0
        self._as_of = float("-inf")

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Compare it with the primary periodically, until the end of the block."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            await end(task)

    @contextlib.asynccontextmanager
    async def lend(self, organisation_id: str) -> AsyncGenerator[AsyncPostgres | None]:
        """Yield a connection that shows all writes of an organisation; None if the primary must answer.

        Args:
            organisation_id: Organisation of the caller.
        """
        async with contextlib.AsyncExitStack() as stack:
            connection: AsyncPostgres | None = None
            if await self.has(organisation_id):
                with contextlib.suppress(*_AWAY):
                    connection = await stack.enter_async_context(Lent(self._pool))
            yield connection

    async def has(self, organisation_id: str) -> bool:
        """Return whether it has all writes of an organisation; False also if that is unknown.

        Args:
            organisation_id: Organisation of the caller.
        """
        if self._pool.is_away or time.monotonic() - self._as_of > _FRESH_S:
            return False
        with contextlib.suppress(*_AWAY, RedisError):
            mark = await self._marks.of(organisation_id)
            for pause_s in _LOOKS_S:
                if mark <= self._reached:
                    break
                await asyncio.sleep(pause_s)
                async with Lent(self._pool) as connection:
                    self._reached = await log_position(connection)
            return mark <= self._reached
        return False

    def distrust(self) -> None:
        """Use the primary until the next comparison with the replica."""
        self._as_of = float("-inf")

    async def _watch(self) -> None:
        while True:
            try:
                await self._compare()
            except _AWAY as error:
                _log.warning("the replica cannot be compared with the primary", problem=str(error))
            await asyncio.sleep(_SAMPLE_S)

    async def _compare(self) -> None:
        """Bound the age of the replica's data: it has everything the primary had at the previous comparison."""
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
    """Return the log position of a server in bytes: written on a primary, replayed on a replica.

    Args:
        connection: Connection to the server.
    """
    row = await (await connection.execute(_QUERIES["position"])).fetchone()
    return int(row["position"]) if row else 0


def _key(organisation_id: str) -> str:
    return f"mark:{{{organisation_id}}}"
