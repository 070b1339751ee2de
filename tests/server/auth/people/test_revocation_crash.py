"""No token outlives its user, also when the process that revokes it is killed half-way."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.tenants import Addresses, Client, Organisation, new_token

from redcore_server.auth.app import Auth
from redcore_server.auth.people.person import find_person
from redcore_server.auth.people.sessions import Session, Sessions
from redcore_server.auth.tokens import redis_keys
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken
from redcore_server.store import Stores
from redcore_server.worker import Worker
from redcore_server.worker.revocations import TASK, GrantEnder

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[4]
TIMEOUT_S = 120


@attrs.frozen
class Victim:
    """A user who will be removed, and an application that belongs to them."""

    id: str
    application: Client


@pytest.fixture
async def victim(caller: httpx.AsyncClient, stores: Stores) -> Victim:
    user = (await caller.post("/v1/users", json={"email": "grace@example.com", "name": "Grace"})).json()["data"]
    body = {"name": "Grace's job", "scopes": ["users:read"]}
    made = (await caller.post("/v1/applications", json=body)).json()["data"]
    await rows(
        stores, "update users set status = 'active', accepted_at = created_at where id = %s returning id", user["id"]
    )
    await rows(stores, "update applications set owner_id = %s where id = %s returning id", user["id"], made["id"])
    return Victim(user["id"], Client(made["id"], made["client_secret"]))


@pytest.fixture
def ender(stores: Stores, auth: Auth) -> GrantEnder:
    return GrantEnder(
        postgres=stores.postgres,
        revoke_user=auth.revocation.revoke_user,
        revoke_client=auth.revocation.revoke_client,
    )


@contextlib.asynccontextmanager
async def working(stores: Stores, ender: GrantEnder) -> AsyncIterator[None]:
    """Run the worker, as every start of the server does."""
    task = asyncio.create_task(Worker(stores.postgres, {TASK: ender.end}).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def lives(auth: Auth, token: str) -> bool:
    try:
        await auth.verifier.verify(token)
    except InvalidToken:
        return False
    return True


async def is_on_record(stores: Stores, token: str) -> bool:
    """Return whether the grant of a token exists; the verifier also refuses it while its owner is inactive."""
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return bool(await stores.redis.exists(redis_keys.grant(claims["gid"])))


async def killed(addresses: Addresses, key: str, victim: Victim, request: tuple[str, str, str]) -> list[str]:
    """Let a node of its own be killed by a request, and return the tokens it issued just before."""
    method, path, body = request
    arguments = [addresses.database_url, addresses.redis_url, key, victim.application.id, victim.application.secret]
    path = path.format(user=victim.id, application=victim.application.id)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests" / "server" / "support" / "dying_node.py"),
        *arguments,
        method,
        path,
        body,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == -9
    return [line for line in output.decode().splitlines() if line.startswith("ey")]


async def jobs(stores: Stores, victim: Victim) -> list[dict[str, Any]]:
    return await rows(
        stores,
        """select status from procrastinate_jobs
           where task_name = %s and (args ->> 'user_id' = %s or args -> 'client_ids' ? %s)""",
        TASK,
        victim.id,
        victim.application.id,
    )


@pytest.mark.parametrize(
    "request_",
    [
        ("PATCH", "/v1/users/{user}", '{"status": "inactive"}'),
        ("DELETE", "/v1/users/{user}", ""),
        ("DELETE", "/v1/applications/{application}", ""),
    ],
    ids=["deactivated", "deleted", "application deleted"],
)
async def test_a_crash_between_commit_and_revocation_leaves_no_token_after_a_restart(
    *,
    request_: tuple[str, str, str],
    addresses: Addresses,
    stores: Stores,
    auth: Auth,
    callers: Callers,
    organisation: Organisation,
    victim: Victim,
    ender: GrantEnder,
) -> None:
    """The removal is committed and a grant is left, because the process died; the next start revokes it."""
    tokens = await killed(addresses, await callers.key_for(organisation), victim, request_)
    assert [row["status"] for row in await jobs(stores, victim)] == ["todo"]
    assert await is_on_record(stores, tokens[-1])
    assert not await lives(auth, tokens[-1])

    async with working(stores, ender), asyncio.timeout(TIMEOUT_S):
        while await is_on_record(stores, tokens[-1]):  # noqa: ASYNC110 (the worker has no event to wait for)
            await asyncio.sleep(0.01)

    assert [await is_on_record(stores, token) for token in tokens] == [False] * len(tokens)


async def test_a_user_reactivated_before_the_job_keeps_only_the_new_tokens(
    *,
    addresses: Addresses,
    stores: Stores,
    auth: Auth,
    callers: Callers,
    http: httpx.AsyncClient,
    organisation: Organisation,
    victim: Victim,
    ender: GrantEnder,
    caller: httpx.AsyncClient,
) -> None:
    """Reactivation revokes what a crash left alive; the job, when it runs late, leaves the new token alone."""
    request = ("PATCH", "/v1/users/{user}", '{"status": "inactive"}')
    *_, left = await killed(addresses, await callers.key_for(organisation), victim, request)
    assert await is_on_record(stores, left)

    response = await caller.patch(f"/v1/users/{victim.id}", json={"status": "active"})
    new = await new_token(http, victim.application)
    await ender.end(victim.id, [victim.application.id])

    assert response.status_code == 200
    assert [await lives(auth, token) for token in (left, new)] == [False, True]


async def test_without_a_crash_everything_is_dead_before_the_answer(
    *,
    stores: Stores,
    auth: Auth,
    clock: Clock,
    caller: httpx.AsyncClient,
    http: httpx.AsyncClient,
    second_node: Callers,
    victim: Victim,
) -> None:
    """Tokens and browser sessions of a user who is made inactive are refused at once, on every node."""
    token = await new_token(http, victim.application)
    person = await find_person(stores.postgres, victim.id)
    assert person is not None
    session = await Sessions(stores, clock).start(Session(id="anonymous"), person)
    elsewhere = await second_node.bearing(token)
    assert (await elsewhere.get("/v1/users")).status_code == 200

    await caller.patch(f"/v1/users/{victim.id}", json={"status": "inactive"})

    assert (await elsewhere.get("/v1/users")).status_code == 401
    await rows(stores, "update users set status = 'active' where id = %s returning id", victim.id)
    assert (await Sessions(second_node.stores, clock).load(session.id)).person is None
