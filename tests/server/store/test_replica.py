"""Reads on a replica: a caller that was given an id finds it, however far the replica lags."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import attrs
import pytest
from tests.server.support.callers import callers_of, whole_app
from tests.server.support.nodes import node
from tests.server.support.postgres_pair import PostgresServer, postgres_pair
from tests.server.support.tenants import Addresses, make_organisation

from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import StoreOptions, Stores, open_stores
from redcore_server.store.migrate import migrate
from redcore_server.store.redis import RedisOptions, async_redis
from redcore_server.store.replica import Marks, Replica, log_position

pytestmark = pytest.mark.anyio

Pair = tuple[PostgresServer, PostgresServer]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with postgres_pair() as pair:
        migrate(pair[0].url, clock=Clock())
        yield pair


@pytest.fixture
async def stores(pair: Pair, addresses: Addresses) -> AsyncIterator[Stores]:
    primary, replica = pair
    options = StoreOptions(replica_url=replica.url, redis=RedisOptions(answer_s=5.0))
    async with open_stores(primary.url, addresses.redis_url, options) as stores:
        yield stores
    replica.execute("select pg_wal_replay_resume()")


async def write(stores: Stores, organisation_id: str) -> None:
    async with stores.postgres.connection() as connection:
        await connection.execute(b"create table if not exists written (id int); insert into written values (1)")
        await stores.marks.note(connection, organisation_id)


async def answers(replica: Replica | None, organisation_id: str) -> str:
    assert replica is not None
    async with replica.lend(organisation_id) as connection:
        return "primary" if connection is None else "replica"


async def replica_answers(stores: Stores, organisation_id: str = "org_quiet") -> None:
    """Return once the replica answers; it has to be compared with the primary first."""
    while await answers(stores.replica, organisation_id) == "primary":  # noqa: ASYNC110 - an event of another process
        await asyncio.sleep(0.01)


async def test_the_replica_answers_callers_without_writes(stores: Stores) -> None:
    """Once it has been compared with the primary."""
    await replica_answers(stores)

    assert await answers(stores.replica, "org_quiet") == "replica"


async def test_a_lagging_replica_does_not_answer_a_writer(stores: Stores, pair: Pair) -> None:
    """Others are answered by it, and the writer again when it has caught up."""
    await replica_answers(stores)
    pair[1].execute("select pg_wal_replay_pause()")
    await write(stores, "org_writer")

    assert await answers(stores.replica, "org_writer") == "primary"
    assert await answers(stores.replica, "org_other") == "replica"
    pair[1].execute("select pg_wal_replay_resume()")
    await replica_answers(stores, "org_writer")


async def test_without_redis_the_primary_answers(stores: Stores) -> None:
    """Without Redis the last write is unknown."""
    assert stores.replica is not None
    away = async_redis("redis://127.0.0.1:1/0")
    await replica_answers(stores)
    stores.replica._marks = Marks(away, stores.scripts)

    assert await answers(stores.replica, "org_quiet") == "primary"


async def test_a_replica_that_is_not_compared_is_not_used(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark may have expired by then: half of its lifetime is the limit."""
    await replica_answers(stores)
    monkeypatch.setattr("redcore_server.store.replica._FRESH_S", 0.0)

    assert await answers(stores.replica, "org_quiet") == "primary"


async def test_marks_only_rise(stores: Stores) -> None:
    """Of two writers the later position stays, whichever comes last to Redis."""
    async with stores.postgres.connection() as connection:
        position = await log_position(connection)
    await stores.marks._write("org_marks", position + 1)
    await stores.marks._write("org_marks", position)

    assert await stores.marks.of("org_marks") == position + 1


async def test_the_api_reads_its_own_writes_while_replay_is_paused(
    stores: Stores, pair: Pair, addresses: Addresses
) -> None:
    """Create, get and list through the API: the replica would answer 404."""
    clock = Clock()
    await replica_answers(stores)
    on_primary = attrs.evolve(addresses, database_url=pair[0].url)
    async with (
        node(on_primary, stores, clock) as auth,
        callers_of(whole_app(stores=stores, auth=auth, clock=clock, settings=Settings()), stores, clock) as callers,
    ):
        caller = await callers.of(await make_organisation(stores, clock, plan="enterprise"))
        pair[1].execute("select pg_wal_replay_pause()")
        found = []
        for number in range(5):
            product = {"name": "x", "sku": f"S{number}", "price": 1}
            created = (await caller.post("/v1/products", json=product)).json()["data"]
            found.append((await caller.get(f"/v1/products/{created['id']}")).status_code)
        listed = (await caller.get("/v1/products")).json()["meta"]["total"]

    assert found == [200] * 5
    assert listed == 5


async def test_a_replica_that_dies_during_a_read_is_replaced_by_the_primary(
    stores: Stores, pair: Pair, addresses: Addresses
) -> None:
    """A GET is answered all the same, and the next one does not try it."""
    clock = Clock()
    on_primary = attrs.evolve(addresses, database_url=pair[0].url)
    async with (
        node(on_primary, stores, clock) as auth,
        callers_of(whole_app(stores=stores, auth=auth, clock=clock, settings=Settings()), stores, clock) as callers,
    ):
        caller = await callers.of(await make_organisation(stores, clock, plan="enterprise"))
        await replica_answers(stores)
        pair[1].kill()
        statuses = [(await caller.get("/v1/products")).status_code for _ in range(5)]
        pair[1].start()

    assert statuses == [200] * 5
