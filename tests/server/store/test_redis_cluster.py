"""Redis Cluster: the effect of a dead, a hanging and a promoted node."""

# redis-py leaves the keyword arguments of its commands untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from tests.server.support.processes import until
from tests.server.support.redis_cluster import RedisCluster, running_cluster

from redcore_server.store.redis import AsyncRedis, RedisOptions, Scripts, async_redis, open_redis
from redcore_server.store.redis_cluster import ClusterRedis
from redcore_server.store.redis_node import Command, Node, NotReplicated, NotSent

pytestmark = pytest.mark.anyio

PING = Command(("PING",))
ADD = "return redis.call('INCRBY', KEYS[1], ARGV[1])"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(running: RedisCluster) -> Iterator[RedisCluster]:
    yield running
    running.heal()


@pytest.fixture
async def client(cluster: RedisCluster) -> AsyncIterator[AsyncRedis]:
    async with open_redis(cluster.url, RedisOptions(answer_s=5.0)) as client:
        yield client


async def test_a_dead_master_costs_its_own_slots_only(cluster: RedisCluster, client: AsyncRedis) -> None:
    """Calls sent together with calls for the dead node are answered."""
    (dead, _), (living, _), *_ = cluster.pairs()
    add = Scripts(client).script(ADD)
    lost, kept = next(cluster.keys(dead, "n")), next(cluster.keys(living, "n"))
    await asyncio.gather(add([lost], [1]), add([kept], [1]))
    dead.kill()

    answers = await asyncio.gather(*(add([key], [1]) for key in (lost, kept) * 10), return_exceptions=True)

    assert list(answers[1::2]) == list(range(2, 12))
    assert all(isinstance(answer, RedisConnectionError) for answer in answers[::2])


async def test_a_hanging_master_blocks_no_other_calls(cluster: RedisCluster, client: AsyncRedis) -> None:
    """Calls for the other nodes are answered while one for the hanging node still waits."""
    (hanging, _), (living, _), *_ = cluster.pairs()
    add = Scripts(client).script(ADD)
    kept = next(cluster.keys(living, "n"))
    hanging.hold()

    waiting = asyncio.ensure_future(add([next(cluster.keys(hanging, "n"))], [1]))
    answers = await asyncio.gather(*(add([kept], [1]) for _ in range(10)))

    assert answers == list(range(1, 11))
    assert not waiting.done()
    waiting.cancel()


async def test_a_node_that_did_not_answer_is_not_waited_for_again(cluster: RedisCluster) -> None:
    """For half a second: calls fail at once meanwhile, and nothing is sent for them."""
    (hanging, _), *_ = cluster.pairs()
    async with async_redis(f"redis://127.0.0.1:{hanging.port}") as client:
        node = Node(client, answer_s=0.05)
        await node.ask(PING)
        hanging.hold()
        with pytest.raises(RedisTimeoutError):
            await node.ask(PING)

        with pytest.raises(NotSent):
            await node.ask(PING)


async def test_a_failover_is_followed_by_scripts_commands_and_pipelines(
    cluster: RedisCluster, client: AsyncRedis
) -> None:
    """Nothing was sent to the dead master, so refused calls are sent to the new one: the callers notice nothing."""
    (dead, replica), *_ = cluster.pairs()
    add = Scripts(client).script(ADD)
    script_key, hash_key, index, counter = itertools.islice(cluster.keys(dead, "n"), 4)
    await add([script_key], [2])
    await Scripts(client).replicated([script_key])
    await asyncio.to_thread(dead.kill)
    await asyncio.to_thread(cluster.promote, replica)

    assert await add([script_key], [3]) == 5
    await client.hset(hash_key, mapping={"a": "1"})
    assert await client.hgetall(hash_key) == {"a": "1"}
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.zadd(index, {"a": 1})
        pipeline.zrange(index, 0, -1)
        assert list(await pipeline.execute()) == [1, ["a"]]
    async with client.pipeline(transaction=True) as pipeline:
        pipeline.incrby(counter, 4)
        pipeline.expire(counter, 60)
        assert list(await pipeline.execute()) == [4, True]


async def test_a_failover_of_a_hanging_master_is_detected_before_the_next_call(cluster: RedisCluster) -> None:
    """One command has found out that the master hangs; the next one, after the failover, is answered at once."""
    (hanging, replica), *_ = cluster.pairs()
    key = next(cluster.keys(hanging, "n"))
    async with open_redis(cluster.url, RedisOptions(answer_s=0.5)) as client:
        assert isinstance(client, ClusterRedis)
        await asyncio.to_thread(hanging.hold)
        with pytest.raises(RedisError):
            await client.get(key)
        await asyncio.to_thread(cluster.promote, replica)

        await until(lambda: _ports(client) >= {replica.port})
        assert await client.get(key) is None


async def test_a_silent_node_is_probed_until_it_answers(cluster: RedisCluster) -> None:
    """No call waits for it meanwhile, and none is needed before it is used again."""
    (hanging, _), *_ = cluster.pairs()
    async with open_redis(cluster.url, RedisOptions(answer_s=0.2)) as client:
        assert isinstance(client, ClusterRedis)
        (node,) = (node for node in client.topology.masters if _port(node) == hanging.port)
        await asyncio.to_thread(hanging.hold)
        with pytest.raises(RedisError):
            await client.get(next(cluster.keys(hanging, "n")))
        assert node.is_silent

        await asyncio.to_thread(hanging.release)

        await until(lambda: not node.is_silent)


async def test_a_slot_that_has_moved_is_followed(cluster: RedisCluster, client: AsyncRedis) -> None:
    """A master that became a replica names the node that has its slots now."""
    (master, replica), *_ = cluster.pairs()
    add = Scripts(client).script(ADD)
    key = next(cluster.keys(master, "n"))
    cluster.promote(replica)

    assert [await add([key], [1]), await add([key], [1])] == [1, 2]


async def test_a_script_follows_its_slot_to_a_node_without_it(cluster: RedisCluster, client: AsyncRedis) -> None:
    """While a slot moves, a new key is created on the target node."""
    (source, _), (target, _), *_ = cluster.pairs()
    key = next(cluster.keys(source, "n"))
    add = Scripts(client).script(ADD)
    await add([key], [1])
    with target.client() as server:
        server.script_flush()

    with cluster.moving(key, source, target):
        assert await add([key], [1]) == 2
        assert await add([f"{{{key}}}:new"], [3]) == 3


async def test_a_script_waits_for_its_keys_to_be_on_one_node(cluster: RedisCluster, client: AsyncRedis) -> None:
    """While a slot moves, one key may be there already and another one not yet."""
    (source, _), (target, _), *_ = cluster.pairs()
    key = next(cluster.keys(source, "n"))
    there = f"{{{key}}}:there"
    both = Scripts(client).script("return redis.call('INCR', KEYS[1]) + redis.call('INCR', KEYS[2])")
    await client.set(key, 10)

    with cluster.moving(key, source, target):
        await client.set(there, 20)
        answer = asyncio.ensure_future(both([key, there], []))
        await until(lambda: target.has_answered("TRYAGAIN"))
        source.move(key, target)

        assert await answer == 32


async def test_scripts_are_loaded_on_the_node_that_lacks_them(cluster: RedisCluster, client: AsyncRedis) -> None:
    """Although another node, which would not know them either, is dead."""
    (dead, _), (living, _), *_ = cluster.pairs()
    add = Scripts(client).script(ADD)
    key = next(cluster.keys(living, "n"))
    dead.kill()
    with living.client() as server:
        server.script_flush()

    assert await add([key], [3]) == 3


async def test_a_command_without_a_key_is_answered_by_any_master(cluster: RedisCluster, client: AsyncRedis) -> None:
    """A probe finds the cluster although the first master is dead."""
    (dead, _), *_ = cluster.pairs()
    await asyncio.to_thread(dead.kill)  # so that the end of its connections is seen

    assert await client.ping()


async def test_one_start_address_that_answers_is_enough(cluster: RedisCluster) -> None:
    """A process starts while the first node of its URL is down."""
    (dead, _), (living, _), *_ = cluster.pairs()
    key = next(cluster.keys(living, "n"))
    dead.kill()
    url = f"redis+cluster://127.0.0.1:{dead.port},127.0.0.1:{living.port}"

    async with open_redis(url) as client:
        await client.set(key, "1")
        assert await client.get(key) == "1"


async def test_an_unconfirmed_write_is_an_error(cluster: RedisCluster, client: AsyncRedis) -> None:
    """Once the replica is back, repeating it confirms everything that was written meanwhile."""
    (master, replica), *_ = cluster.pairs()
    scripts, key = Scripts(client), next(cluster.keys(master, "n"))
    await scripts.replicated([key])
    replica.hold()
    await client.set(key, "1")

    with pytest.raises(NotReplicated):
        await scripts.replicated([key])
    replica.release()
    await scripts.replicated([key])

    with replica.client() as there:
        there.readonly()
        assert there.get(key) == "1"


async def test_an_unknown_cluster_is_an_error_of_redis() -> None:
    """The start addresses do not answer, whatever is asked."""
    client = async_redis("redis+cluster://127.0.0.1:1,127.0.0.1:2")

    with pytest.raises(RedisError):
        await client.get("n")
    await client.aclose()


def _ports(client: ClusterRedis) -> set[int]:
    return {_port(node) for node in client.topology.masters}


def _port(node: Node) -> int:
    return int(node.client.connection_pool.connection_kwargs["port"])
