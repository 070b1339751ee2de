"""`redcore-server restore-check`: makes a database that was restored to an earlier moment safe to serve.

Repeats the revocations made after that moment, ends all sessions, and names the files whose bytes are gone. Safe to
repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import attrs
from psycopg.rows import dict_row

from redcore_server.process.up import database
from redcore_server.settings import Settings, SettingsError
from redcore_server.store.address import REDIS_VARIABLE
from redcore_server.store.objects import Objects, check, open_objects
from redcore_server.store.postgres import AsyncPostgres, queries
from redcore_server.store.redis import open_redis
from redcore_server.store.redis_cluster import ClusterRedis
from redcore_server.store.revocation_log import since
from redcore_server.store.stored_files import file_key

_QUERIES = queries("restore")


@attrs.frozen
class Restored:
    """What was done, and what the operator must know.

    Attributes:
        since: Moment to which the database was restored.
        revoked: Ids of what was revoked again, by kind; of users for a role that was lowered again.
        without_bytes: Ids of files that can no longer be downloaded.
    """

    since: datetime
    revoked: dict[str, list[str]]
    without_bytes: list[str]

    def lines(self) -> list[str]:
        """Return the report for the operator."""
        revoked = [f"revoked again: {kind} {each}" for kind, ids in self.revoked.items() for each in ids]
        lost = [f"without its bytes: {file_id}" for file_id in self.without_bytes]
        return [f"restored to {self.since.isoformat()}", *revoked, "Redis emptied: everybody logs in again", *lost]


def restore_check(settings: Settings, moment: datetime) -> Restored:
    """Revoke again what was revoked after a moment, empty Redis, and compare files with the object store.

    Args:
        settings: Server settings, with the URLs of the stores. No other application may share the Redis.
        moment: Moment to which the database was restored.

    Raises:
        OperatorError: A store cannot be used.
    """
    if settings.redis_url is None:
        raise SettingsError(REDIS_VARIABLE, "is not set: a restored database must not meet the tokens of later")
    with database(settings) as url:
        return asyncio.run(_restore_check(settings, url, settings.redis_url, moment))


async def _restore_check(settings: Settings, database_url: str, redis_url: str, moment: datetime) -> Restored:
    objects = open_objects(settings)
    await check(objects, settings)
    async with await AsyncPostgres.connect(database_url, row_factory=dict_row) as connection:
        revoked = await _revoke_again(connection, objects, moment)
        without_bytes = [file_id async for file_id in _without_bytes(connection, objects)]
    await _empty(redis_url)
    return Restored(moment, revoked, without_bytes)


async def _revoke_again(connection: AsyncPostgres, objects: Objects, moment: datetime) -> dict[str, list[str]]:
    revoked: dict[str, list[str]] = {}
    for revocation in await since(objects, moment):
        parameters: dict[str, Any] = {"ids": list(revocation.ids), "at": revocation.at}
        cursor = await connection.execute(_QUERIES[revocation.kind], parameters)
        revoked.setdefault(revocation.kind, []).extend(row["id"] for row in await cursor.fetchall())
    return revoked


async def _without_bytes(connection: AsyncPostgres, objects: Objects) -> AsyncGenerator[str]:
    stored = {key async for keys in objects.keys("files") for key in keys}
    for row in await (await connection.execute(_QUERIES["files"])).fetchall():
        if file_key(row["organisation_id"], row["id"]) not in stored:
            yield row["id"]


async def _empty(redis_url: str) -> None:
    async with open_redis(redis_url) as client:
        servers = [node.client for node in client.topology.masters] if isinstance(client, ClusterRedis) else [client]
        for server in servers:
            await server.flushdb()  # pyright: ignore[reportUnknownMemberType] - redis-py has no type for it
