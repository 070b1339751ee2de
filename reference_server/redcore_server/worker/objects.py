"""The jobs that delete unreferenced bytes: of deleted files, and of uploads whose process was killed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import attrs
import structlog

from redcore_server.clock import Clock
from redcore_server.store.jobs import defer
from redcore_server.store.objects import Objects
from redcore_server.store.postgres import AsyncPool, AsyncPostgres, queries

DELETION: Final = "delete_object"
COLLECTION: Final = "collect_orphans"
HOURLY: Final = "17 * * * *"
_GRACE: Final = timedelta(hours=2)  # longer than any upload: bytes are stored before their description
_QUERIES: Final = queries("objects")
_log = structlog.get_logger("redcore_server.worker")


async def defer_object_deletion(connection: AsyncPostgres, *, key: str, after: timedelta = timedelta()) -> None:
    """Schedule the deletion of an object, if and only if the caller's transaction commits.

    Args:
        connection: Connection with an open transaction, in which the last reference to the object was deleted.
        key: Key of the object.
        after: Delay before the deletion, in case the database is restored to an earlier moment.
    """
    await defer(connection, DELETION, after_s=int(after.total_seconds()), key=key)


@attrs.frozen(kw_only=True)
class ObjectCollector:
    """Deletes objects.

    Attributes:
        postgres: PostgreSQL with the file descriptions.
        objects: Object store with their bytes.
    """

    postgres: AsyncPool
    objects: Objects
    clock: Clock

    async def delete(self, key: str) -> None:
        """Run the job of `defer_object_deletion`."""
        await self.objects.delete(key)
        async with self.postgres.connection() as connection:
            await connection.execute(queries("files")["forget"], {"id": key.rpartition("/")[2]})

    async def collect(self, timestamp: int) -> None:
        """Delete the bytes of files and publications without a description, hours after they were written.

        Deleted files stay until the end of their retention.

        Args:
            timestamp: When the job was due, in Unix seconds; unused, the clock decides.
        """
        del timestamp
        for folder, part, known in (("files", -1, "files"), ("docs", 2, "docs")):
            async for keys in self.objects.older_than(folder, self.clock.now() - _GRACE):
                await self._delete_unknown(keys, part, queries(known)["known"])

    async def _delete_unknown(self, keys: list[str], part: int, known: bytes) -> None:
        """Delete the objects whose key has an unknown id at a position of the path."""
        by_id: dict[str, list[str]] = {}
        for key in keys:
            by_id.setdefault(key.split("/")[part], []).append(key)
        async with self.postgres.connection() as connection:
            rows = await (await connection.execute(known, {"ids": list(by_id)})).fetchall()
            lost = [key for unknown in by_id.keys() - {row["id"] for row in rows} for key in by_id[unknown]]
            cursor = await connection.execute(_QUERIES["kept"], {"task": DELETION, "keys": lost})
            kept = {row["key"] for row in await cursor.fetchall()}
        for key in lost:
            if key not in kept:
                _log.warning("orphan_collected", key=key)
                await self.objects.delete(key)
