"""A log of revocations outside the database: a database restored to an earlier moment has lost them.

A revocation is written to the object store by a job of the same transaction, about a second after its commit, one
object each: `revocations/DATE/TIME-….json`. `redcore-server restore-check` reads them
(docs/adr/0052-restore-to-a-moment.md).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

import attrs
import orjson
from procrastinate.types import JSONValue

from redcore_server.ids import new_id
from redcore_server.store.jobs import defer
from redcore_server.store.objects import Objects
from redcore_server.store.postgres import AsyncPostgres

TASK: Final = "log_revocation"
FOLDER: Final = "revocations"
_URGENT: Final = 1  # before mail: until it is done, a restore would make the credential valid again

Kind = Literal["api_key", "application", "client_secret", "user", "role_editor", "role_viewer"]
"""For `role_…` the ids are those of users whose role was lowered to it."""


@attrs.frozen
class Revocation:
    """One revocation.

    Attributes:
        kind: Kind of credential; for a client secret, the ids are those of the applications.
        ids: Ids of the revoked credentials.
        at: Time by the server's clock.
    """

    kind: Kind
    ids: tuple[str, ...]
    at: datetime


async def defer_record(connection: AsyncPostgres, kind: Kind, ids: Iterable[str], now: datetime) -> None:
    """Schedule the record of a revocation, if and only if the caller's transaction commits.

    Args:
        connection: Connection with the open transaction of the revocation.
        kind: Kind of credential.
        ids: Ids of the revoked credentials; if empty, nothing is recorded.
        now: Time of the revocation.
    """
    listed: list[JSONValue] = [*ids]
    if listed:
        await defer(connection, TASK, priority=_URGENT, kind=kind, ids=listed, at=now.isoformat())


async def append(objects: Objects, revocation: Revocation) -> None:
    """Record a revocation; recording it twice is harmless.

    Args:
        objects: Object store with the log.
        revocation: Revocation to record.

    Raises:
        ObjectsUnavailable: The store cannot write it.
    """
    at = revocation.at.astimezone(UTC)
    record = {"kind": revocation.kind, "ids": revocation.ids, "at": at.isoformat()}
    await objects.put(f"{FOLDER}/{at:%Y-%m-%d}/{at:%H%M%S%f}-{new_id('req')}.json", _one(orjson.dumps(record)))


async def since(objects: Objects, moment: datetime) -> list[Revocation]:
    """Return the revocations since a moment, oldest first.

    Args:
        objects: Object store with the log.
        moment: Start time, with a time zone.

    Raises:
        ObjectsUnavailable: The store does not answer.
    """
    day = f"{FOLDER}/{moment.astimezone(UTC):%Y-%m-%d}"
    keys = [key async for batch in objects.keys(FOLDER) for key in batch if key >= day]
    found = [await _read(objects, key) for key in sorted(keys)]
    return [revocation for revocation in found if revocation.at >= moment]


async def _read(objects: Objects, key: str) -> Revocation:
    record = cast("dict[str, Any]", orjson.loads(await objects.read(key)))
    return Revocation(record["kind"], tuple(record["ids"]), datetime.fromisoformat(record["at"]))


async def _one(content: bytes) -> AsyncGenerator[bytes]:
    yield content
