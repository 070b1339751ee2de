"""A database restored to an earlier moment: revocations since then are repeated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.concurrency import run_in_threadpool
from tests.server.support.callers import Callers, execute, new_key
from tests.server.support.people import make_person
from tests.server.support.tenants import Addresses, Client, Organisation

from redcore_server.auth.people.role import Role
from redcore_server.clock import Clock
from redcore_server.process.restore_check import Restored, restore_check
from redcore_server.settings import Settings, SettingsError
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects
from redcore_server.store.redis import open_redis
from redcore_server.store.revocation_log import TASK
from redcore_server.worker.revocation_log import RevocationLogger

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(addresses: Addresses, tmp_path: Path) -> Settings:
    """Settings with a Redis of their own, because it is emptied."""
    redis_url = addresses.redis_url.rpartition("/")[0] + "/1"
    return Settings(data=tmp_path, database_url=addresses.database_url, redis_url=redis_url)


async def log_revocations(stores: Stores, settings: Settings) -> None:
    """Log revocations as the worker would."""
    async with stores.postgres.connection() as connection:
        cursor = await connection.execute("delete from procrastinate_jobs where task_name = %s returning args", (TASK,))
        jobs: list[dict[str, Any]] = [row["args"] for row in await cursor.fetchall()]
    for job in jobs:
        await RevocationLogger(open_objects(settings)).log(job["kind"], job["ids"], job["at"])


Restore = Callable[[], Awaitable[Restored]]


@pytest.fixture
def restore(settings: Settings, clock: Clock) -> Restore:
    """Check a database that was restored to a minute ago."""
    return lambda: run_in_threadpool(restore_check, settings, clock.now() - timedelta(minutes=1))


async def test_a_revoked_api_key_is_revoked_again(
    caller: httpx.AsyncClient, stores: Stores, restore: Restore, settings: Settings
) -> None:
    """And only once: a finished revocation is not repeated."""
    key = (await caller.post("/v1/api-keys", json={"name": "x", "scopes": ["users:read"]})).json()["data"]
    await caller.delete(f"/v1/api-keys/{key['id']}")
    await log_revocations(stores, settings)
    await execute(stores, "update api_keys set revoked_at = null where id = %s", (key["id"],))

    first, second = await restore(), await restore()

    assert key["id"] in first.revoked["api_key"]
    assert key["id"] not in second.revoked["api_key"]
    headers = {"Authorization": f"Bearer {key['key']}"}
    assert (await caller.get("/v1/me", headers=headers)).status_code == 401


async def test_a_rotated_secret_is_invalid_again(
    caller: httpx.AsyncClient, stores: Stores, restore: Restore, settings: Settings, client: Client
) -> None:
    """The secret of the restored database is the one that was replaced."""
    await caller.post(f"/v1/applications/{client.id}/secret")
    async with stores.postgres.connection() as connection:
        row = await (await connection.execute("select * from applications where id = %s", (client.id,))).fetchone()
    await log_revocations(stores, settings)

    restored = await restore()

    assert row is not None
    assert client.id in restored.revoked["client_secret"]
    async with stores.postgres.connection() as connection:
        after = await (await connection.execute("select * from applications where id = %s", (client.id,))).fetchone()
    assert after is not None
    assert after["secret_hash"] != row["secret_hash"]


async def test_a_deleted_user_is_locked_out(
    caller: httpx.AsyncClient,
    stores: Stores,
    restore: Restore,
    settings: Settings,
    organisation: Organisation,
) -> None:
    """The restored row is made inactive."""
    await execute(
        stores,
        "insert into users (id, organisation_id, email, email_key, name, role, status, created_at, updated_at)"
        " select 'usr_back' || %s, organisation_id, 'b@example.com', 'b@example.com', 'B', 'viewer', 'active',"
        " created_at, updated_at from users where id = %s",
        (organisation.id, organisation.owner_id),
    )
    user_id = f"usr_back{organisation.id}"
    await caller.patch(f"/v1/users/{user_id}", json={"status": "inactive"})
    await log_revocations(stores, settings)
    await execute(stores, "update users set status = 'active' where id = %s", (user_id,))

    restored = await restore()

    assert user_id in restored.revoked["user"]


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_a_demoted_user_is_demoted_again(  # noqa: PLR0917 - fixtures
    caller: httpx.AsyncClient,
    callers: Callers,
    clock: Clock,
    stores: Stores,
    restore: Restore,
    settings: Settings,
    organisation: Organisation,
    role: Role,
) -> None:
    """An API key, which is not in Redis, and a new sign-in have no more than since the demotion."""
    person = await make_person(stores, clock, organisation, "admin")
    keyed = await callers.of(person, "admin")
    await caller.patch(f"/v1/users/{person.owner_id}", json={"role": role})
    await log_revocations(stores, settings)
    await execute(stores, "update users set role = 'admin' where id = %s", (person.owner_id,))

    restored, again = await restore(), await restore()

    assert person.owner_id in restored.revoked[f"role_{role}"]
    assert person.owner_id not in again.revoked[f"role_{role}"]
    assert (await keyed.get("/v1/api-keys")).status_code == 403


async def test_redis_is_emptied_and_lost_files_are_named(
    caller: httpx.AsyncClient, stores: Stores, restore: Restore, settings: Settings
) -> None:
    """Every person has to log in again; a file whose bytes were deleted after the moment is named."""
    kept, lost = [
        (await caller.post("/v1/files", files={"file": ("a.txt", b"a")})).json()["data"]["id"] for _ in range(2)
    ]
    objects = open_objects(settings)
    async for keys in objects.keys("files"):
        for key in keys:
            if key.endswith(lost):
                await objects.delete(key)
    async with open_redis(str(settings.redis_url)) as redis:
        await redis.set("auth:grant:{x}", "1")

        restored = await restore()

        assert await redis.dbsize() == 0
    assert lost in restored.without_bytes
    assert kept not in restored.without_bytes
    assert restored.lines()[0].startswith("restored to ")
    assert f"without its bytes: {lost}" in restored.lines()


async def test_it_needs_the_redis_of_the_platform(settings: Settings, clock: Clock) -> None:
    """Otherwise tokens of a later time would be accepted."""
    with pytest.raises(SettingsError, match="REDCORE_SERVER_REDIS_URL"):
        restore_check(Settings(data=settings.data), clock.now())


async def test_older_revocations_are_left_alone(
    caller: httpx.AsyncClient, stores: Stores, clock: Clock, settings: Settings, organisation: Organisation
) -> None:
    """Those before the moment are in the restored database."""
    await new_key(stores, clock, organisation)
    key = (await caller.post("/v1/api-keys", json={"name": "x", "scopes": ["users:read"]})).json()["data"]
    await caller.delete(f"/v1/api-keys/{key['id']}")
    await log_revocations(stores, settings)

    restored = await run_in_threadpool(restore_check, settings, clock.now() + timedelta(minutes=1))

    assert restored.revoked == {}
