"""An organisation stores no more than its quota: uploads on their way and deleted files are counted, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.tenants import make_organisation

from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects
from redcore_server.worker.objects import DELETION, ObjectCollector

pytestmark = pytest.mark.anyio

QUOTA = 300_000
LARGE = b"x" * 180_000  # two of them are more than the quota
FORM = {"Content-Type": "multipart/form-data; boundary=frontier"}
KEY = "select args->>'key' as key from procrastinate_jobs where args->>'key' like %s"
HEAD = b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, storage_bytes=QUOTA)


async def upload(caller: httpx.AsyncClient) -> httpx.Response:
    return await caller.post("/v1/files", files={"file": LARGE})


async def delete_new(caller: httpx.AsyncClient) -> str:
    """Upload a file, delete it, and return its id."""
    made = await upload(caller)
    assert made.status_code == 201, made.text
    file_id: str = made.json()["data"]["id"]
    assert (await caller.delete(f"/v1/files/{file_id}")).status_code == 204
    return file_id


async def deletions(stores: Stores, *file_ids: str) -> list[bool]:
    """Return of each deleted file whether its bytes are kept for the retention time."""
    found = await rows(
        stores,
        "select args->>'key' as key, scheduled_at is not null as is_kept from procrastinate_jobs where task_name = %s",
        DELETION,
    )
    kept = {row["key"].rpartition("/")[2]: row["is_kept"] for row in found}
    return [kept[file_id] for file_id in file_ids]


async def test_uploads_at_once_have_to_fit_together(
    caller: httpx.AsyncClient, callers: Callers, stores: Stores, clock: Clock
) -> None:
    """What has arrived of one leaves less room for another, of the same organisation; an end gives the room back."""
    has_arrived, may_end = asyncio.Event(), asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield HEAD + LARGE
        has_arrived.set()
        await may_end.wait()
        yield b"\r\n--other"  # the form breaks off

    slow = asyncio.create_task(caller.post("/v1/files", content=pieces(), headers=FORM))
    await has_arrived.wait()
    second = await upload(caller)
    other = await upload(await callers.of(await make_organisation(stores, clock)))
    may_end.set()

    assert (second.status_code, second.json()["error"]["code"]) == (422, "BUSINESS_RULE_VIOLATION")
    assert other.status_code == 201
    assert (await slow).status_code == 400
    assert (await upload(caller)).status_code == 201


async def test_deleted_files_are_kept_up_to_the_quota(
    caller: httpx.AsyncClient, stores: Stores, clock: Clock, settings: Settings
) -> None:
    """Bytes beyond it are deleted at once, or a program that uploads and deletes would fill the store."""
    first, second = await delete_new(caller), await delete_new(caller)
    assert await deletions(stores, first, second) == [True, False]

    collector = ObjectCollector(postgres=stores.postgres, objects=open_objects(settings), clock=clock)
    for _ in range(2):  # a job may run twice
        for file_id in (first, second):
            ((key,),) = [row.values() for row in await rows(stores, KEY, f"%{file_id}")]
            await collector.delete(key)
    third, fourth = await delete_new(caller), await delete_new(caller)

    assert await deletions(stores, third, fourth) == [True, False]
