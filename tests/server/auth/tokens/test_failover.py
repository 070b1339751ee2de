"""Tokens and the failover of a Redis master: a revoked token stays revoked, and no acknowledged write is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import attrs
import httpx
import pytest
from tests.server.support.nodes import BUSY_MACHINE, node
from tests.server.support.redis_cluster import ClusterNode, RedisCluster, running_cluster
from tests.server.support.tenants import ISSUER, Addresses, Client, Organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.tokens import redis_keys
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken
from redcore_server.store import Stores, open_stores
from redcore_server.store.redis_node import NotReplicated

pytestmark = pytest.mark.anyio

ISSUE = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(running: RedisCluster) -> Iterator[RedisCluster]:
    yield running
    running.heal()


@pytest.fixture
async def stores(addresses: Addresses, cluster: RedisCluster) -> AsyncIterator[Stores]:
    async with open_stores(addresses.database_url, cluster.url, BUSY_MACHINE) as stores:
        yield stores


@pytest.fixture
async def auth(addresses: Addresses, cluster: RedisCluster, stores: Stores, clock: Clock) -> AsyncIterator[Auth]:
    async with node(attrs.evolve(addresses, redis_url=cluster.url), stores, clock) as auth:
        yield auth


@pytest.fixture
async def http(auth: Auth, client: Client) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(auth.app)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER, auth=client.basic) as http:
        yield http


def keeper(cluster: RedisCluster, refresh_token: str) -> tuple[ClusterNode, ClusterNode]:
    """Return the master that has the grant of a token, and its replica."""
    return cluster.pair_of(redis_keys.grant(refresh_token.partition(".")[0]))


async def test_a_revoked_token_stays_revoked_after_a_failover(
    http: httpx.AsyncClient, auth: Auth, cluster: RedisCluster
) -> None:
    """The master that took the revocation dies at once; its replica has it."""
    tokens = (await http.post("/oauth/token", data=ISSUE)).json()
    master, replica = keeper(cluster, tokens["refresh_token"])

    answer = await http.post("/oauth/revoke", data={"token": tokens["refresh_token"]})
    await asyncio.to_thread(master.kill)
    await asyncio.to_thread(cluster.promote, replica)

    assert answer.status_code == 200
    with pytest.raises(InvalidToken):
        await auth.verifier.verify(tokens["access_token"])


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
async def test_a_revocation_that_no_replica_has_is_not_acknowledged(
    http: httpx.AsyncClient, cluster: RedisCluster, kind: str
) -> None:
    """Not on a repeated request either, until a replica has it."""
    tokens = (await http.post("/oauth/token", data=ISSUE)).json()
    _, replica = keeper(cluster, tokens["refresh_token"])
    revoke = {"token": tokens[kind]}
    replica.hold()

    refused = [(await http.post("/oauth/revoke", data=revoke)).status_code for _ in range(2)]
    replica.release()

    assert refused == [503, 503]
    assert (await http.post("/oauth/revoke", data=revoke)).status_code == 200


async def test_a_rotation_that_no_replica_has_is_undone(http: httpx.AsyncClient, cluster: RedisCluster) -> None:
    """The client that retries with the same refresh token gets its pair: it is not taken for a thief."""
    tokens = (await http.post("/oauth/token", data=ISSUE)).json()
    _, replica = keeper(cluster, tokens["refresh_token"])
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    replica.hold()

    refused = await http.post("/oauth/token", data=refresh)
    replica.release()
    again = await http.post("/oauth/token", data=refresh)
    reused = await http.post("/oauth/token", data=refresh)

    assert [answer.status_code for answer in (refused, again, reused)] == [503, 200, 400]


async def test_revoking_all_grants_of_a_user_can_be_repeated_until_it_is_kept(
    http: httpx.AsyncClient, auth: Auth, cluster: RedisCluster, organisation: Organisation
) -> None:
    """The index of the grants is kept until a replica has the deletions."""
    tokens = (await http.post("/oauth/token", data=ISSUE)).json()
    _, replica = keeper(cluster, tokens["refresh_token"])
    replica.hold()

    with pytest.raises(NotReplicated):
        await auth.revocation.revoke_user(organisation.owner_id)
    replica.release()

    assert await auth.revocation.revoke_user(organisation.owner_id) == 1
