"""The faults: each strikes, waits, heals, and leaves the topology whole."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import attrs
import httpx
import psycopg
import redis
from redis.crc import key_slot
from tests.topology.earlier import earlier_version
from tests.topology.edge import edge
from tests.topology.load import CONTENT, Load
from tests.topology.outcome import Outcome
from tests.topology.restore import restored

from redcore_server.auth.tokens import redis_keys
from redcore_server.process.topology.layout import Node
from redcore_server.process.topology.program import Program
from redcore_server.process.topology.stores import MASTERS, REDIS_PORT
from redcore_server.process.topology.system import System

Strike = Callable[[System, Load], Awaitable[Outcome]]


@attrs.frozen
class Fault:
    """One fault.

    Attributes:
        name: For the table.
        strike: Strikes and heals; returns what else was measured.
        failures_allowed: Calls that may fail; None where those in the gap answer 503.
        gap_s: The longest time without a successful call that is allowed.
        may_lose: Whether acknowledged writes may be lost: the RPO of asynchronous replication.
        noticed_s: Time after the strike in which calls may fail, until the balancers have noticed.
        smoke: Whether CI runs it each time.
    """

    name: str
    strike: Strike
    failures_allowed: int | None = 0
    gap_s: float = float("inf")
    may_lose: bool = False
    noticed_s: float = 0.0
    smoke: bool = False


async def baseline(system: System, load: Load) -> Outcome:
    """Nothing: what the load costs by itself."""
    del system
    await asyncio.sleep(6)
    return Outcome(f"{len(load.calls) / load.now:.0f} calls/s")


async def node_killed(system: System, load: Load) -> Outcome:
    """All three processes of a node at once."""
    del load
    return await _killed(system, *system.serving[0].programs, node=system.serving[0])


async def api_killed(system: System, load: Load) -> Outcome:
    """The API process alone: gateway and auth service of the node keep running."""
    del load
    return await _killed(system, system.serving[1].api, node=system.serving[1])


async def zone_balancer_killed(system: System, load: Load) -> Outcome:
    """Zone A's."""
    del load
    program = system.layout.zones["a"]
    program.kill()
    await asyncio.sleep(5)
    program.start()
    for node in system.serving:
        if node.zone == "a":
            await asyncio.to_thread(system.add_node, node)
    return Outcome()


async def worker_killed(system: System, load: Load) -> Outcome:
    """The other one takes over its jobs."""
    client = load.client()
    system.layout.workers[0].kill()
    run = await client.workflows.run("catalog_export")
    done = await client.workflows.wait(run, timeout=60)
    system.layout.workers[0].start()
    return Outcome(f"an export meanwhile: {done.status}", done.status == "succeeded")


async def replica_killed(system: System, load: Load) -> Outcome:
    """PostgreSQL's replica with its Patroni."""
    del load
    zone = await asyncio.to_thread(system.replica) or "b"
    await asyncio.to_thread(system.kill_postgres, zone)
    await asyncio.sleep(6)
    system.layout.postgres[zone].start()
    await _until(system, lambda: system.replica() is not None, "the replica is back")
    return Outcome()


async def replica_paused(system: System, load: Load) -> Outcome:
    """Replay is paused: no client may read old data."""
    zone = await asyncio.to_thread(system.replica)
    assert zone is not None
    before = load.stale, load.reads
    await asyncio.to_thread(_execute, system, zone, "select pg_wal_replay_pause()")
    await asyncio.sleep(10)
    await asyncio.to_thread(_execute, system, zone, "select pg_wal_replay_resume()")
    stale, reads = load.stale - before[0], load.reads - before[1]
    return Outcome(f"stale {stale} of {reads} reads of what was just written", not stale)


async def redis_killed(system: System, load: Load) -> Outcome:
    """A master of the Redis Cluster: its replica takes over."""
    return await _redis(system, load, Program.kill, Program.start)


async def redis_hangs(system: System, load: Load) -> Outcome:
    """The same, but it keeps its connections."""
    return await _redis(system, load, Program.hold, Program.release)


async def drained_with_creates(system: System, load: Load) -> Outcome:
    """A node is stopped while sixteen creates are under way."""
    node = system.serving[-1]
    creates = [asyncio.create_task(load.create()) for _ in range(16)]
    await asyncio.sleep(0)
    await asyncio.to_thread(system.drain_node, node)
    done = await asyncio.gather(*creates, return_exceptions=True)
    await asyncio.to_thread(system.add_node, node)
    created = sum(isinstance(each, str) for each in done)
    return Outcome(f"{created} of 16 creates answered 201", created == 16)


async def scaled(system: System, load: Load) -> Outcome:
    """From four nodes to eight and back."""
    del load
    more = [node for node in system.layout.nodes if node not in system.serving]
    for node in more:
        await asyncio.to_thread(system.add_node, node)
    await asyncio.sleep(2)
    await asyncio.gather(*(asyncio.to_thread(system.drain_node, node) for node in more))
    return Outcome(f"4 → {4 + len(more)} → 4")


async def rolled(system: System, load: Load) -> Outcome:
    """Every node becomes one of an earlier version, then one of this version again, on the schema of this version."""
    del load
    with earlier_version() as (name, folders):
        for environment in ({"PYTHONPATH": folders}, {}):
            for node in list(system.serving):
                await asyncio.to_thread(system.drain_node, node)
                for program in node.programs:
                    program.environment = {
                        **{key: value for key, value in program.environment.items() if key != "PYTHONPATH"},
                        **environment,
                    }
                await asyncio.to_thread(system.add_node, node)
    return Outcome(f"{len(system.serving)} nodes to {name} and back, one by one")


async def primary_lost(system: System, load: Load) -> Outcome:
    """PostgreSQL's primary with its Patroni: the replica is promoted."""
    del load
    zone = await asyncio.to_thread(system.primary)
    assert zone is not None
    started = time.monotonic()
    await asyncio.to_thread(system.kill_postgres, zone)
    await _until(system, lambda: system.primary() is not None, "another primary")
    promoted = time.monotonic() - started
    await asyncio.sleep(5)
    system.layout.postgres[zone].start()
    await _until(system, lambda: system.replica() is not None, "the old primary is a replica")
    return Outcome(f"promoted after {promoted:.1f} s", promoted <= 25)


async def primary_moved(system: System, load: Load) -> Outcome:
    """As `patronictl switchover` does: the primary and its replica change places."""
    del load
    zone = await asyncio.to_thread(system.primary)
    assert zone is not None
    url = f"{system.place.patroni_url(zone)}/switchover"
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=60) as patroni:
        answer = await patroni.post(url, json={"leader": f"postgres-{zone}"})
    await _until(system, lambda: system.primary() not in {None, zone}, "the other one is the primary")
    moved = time.monotonic() - started
    await _until(system, lambda: system.replica() == zone, "the old primary is a replica")
    return Outcome(f"moved after {moved:.1f} s", answer.is_success)


async def primary_lost_synchronous(system: System, load: Load) -> Outcome:
    """The same, with each commit waiting for the replica."""
    await asyncio.to_thread(_configure_patroni, system, synchronous_mode=True)
    await _until(system, lambda: _synchronous(system), "a synchronous replica")
    outcome = await primary_lost(system, load)
    await asyncio.to_thread(_configure_patroni, system, synchronous_mode=False)
    return outcome


async def zone_cut_off(system: System, load: Load) -> Outcome:
    """All packets of zone B are dropped, as if its cables were cut: nodes, balancer, stores, a worker."""
    network = system.place.network
    if not network.namespaces:
        return Outcome("not run: no zone can be cut off without root", holds=False)
    network.cut("b")
    await asyncio.sleep(12)
    network.heal("b")
    await _until(system, lambda: system.replica() is not None, "the replica is back")
    for node in system.serving:
        await asyncio.to_thread(system.wait_for, node)
    del load
    return Outcome("zone B, 12 s")


async def region_lost(system: System, load: Load) -> Outcome:
    """Zone A's region of the object store; the objects it missed are read from the other one afterwards."""
    await _until(system, lambda: _are_alike(system), "what a zone missed while it was cut off is in both regions")
    (region,) = (program for program in system.layout.objects.programs if program.name == "region-a")
    region.kill()
    client = load.client()
    files = [await client.files.upload(file=CONTENT, name=f"meanwhile {index}") for index in range(5)]
    await asyncio.sleep(6)
    region.start()
    await asyncio.sleep(4)
    contents = [await client.files.download(file.id) for file in files]
    right = sum(content == CONTENT for content in contents)
    return Outcome(f"{right} of 5 files of meanwhile are whole", right == 5)


def _are_alike(system: System) -> bool:
    """Return whether both regions of the object store have the same objects."""
    home = system.place.folder / "swift"
    of_each = [{file.parent.name for file in home.glob(f"region{number}/*/objects/*/*/*/*.data")} for number in (1, 2)]
    return of_each[0] == of_each[1]


async def replica_share(system: System, load: Load) -> Outcome:
    """The share of zone B's reads that its replica has answered."""
    before = await asyncio.to_thread(_reads, system)
    stale, reads = load.stale, load.reads
    await asyncio.sleep(15)
    after = await asyncio.to_thread(_reads, system)
    replica, primary = (after[server] - before[server] for server in ("replica", "primary"))
    share = replica / max(replica + primary, 1)
    stale, reads = load.stale - stale, load.reads - reads
    return Outcome(
        f"{share:.1%} of {replica + primary:.0f} reads of zone B by the replica; stale {stale} of {reads}",
        share >= 0.95 and not stale,
    )


async def postgres_away(system: System, load: Load) -> Outcome:
    """PostgreSQL is stopped for twenty seconds, and back at the same address; Patroni is not there to promote."""
    zone = await asyncio.to_thread(system.primary)
    assert zone is not None
    await asyncio.to_thread(system.kill_postgres, system.replica() or "b")
    await asyncio.to_thread(system.kill_postgres, zone)
    answers = await _statuses(load, seconds=20)
    for program in system.layout.postgres.values():
        program.start()
    await _until(system, lambda: system.primary() is not None, "PostgreSQL is back")
    back = time.monotonic()
    await _until(system, lambda: _serves(load), "requests are answered")
    served = time.monotonic() - back
    await _until(system, lambda: system.replica() is not None, "the replica is back")
    closed = any(name in answers for name in ("Error", "Timeout"))
    return Outcome(f"meanwhile {answers}; answered {served:.1f} s after PostgreSQL", served <= 2 and not closed)


async def everything_killed(system: System, load: Load) -> Outcome:
    """All processes, as by a power cut, and started again."""
    del load
    for program in system.layout.programs():
        program.kill()
    for zone in system.layout.postgres:
        await asyncio.to_thread(system.kill_postgres, zone)
    started = time.monotonic()
    await asyncio.to_thread(system.start, lambda _: None)
    return Outcome(f"served again after {time.monotonic() - started:.0f} s")


FAULTS = (
    Fault("nothing", baseline, smoke=True),
    Fault("the edge", edge, smoke=True),
    Fault("reads of zone B", replica_share),
    Fault("node killed -9", node_killed, smoke=True),
    Fault("API process killed -9", api_killed),
    Fault("zone balancer killed -9", zone_balancer_killed),
    Fault("worker killed -9", worker_killed),
    Fault("replica killed -9", replica_killed, smoke=True),
    Fault("replay paused", replica_paused),
    Fault("zone cut off", zone_cut_off, gap_s=2.0, noticed_s=2.0),
    Fault("storage region lost", region_lost, gap_s=2.0),
    Fault("Redis master killed -9", redis_killed, failures_allowed=None, smoke=True),
    Fault("Redis master hangs", redis_hangs, failures_allowed=None),
    Fault("drain with 16 creates", drained_with_creates, smoke=True),
    Fault("4 → 8 → 4 nodes", scaled),
    Fault("rolling upgrade", rolled),
    Fault("restore to a moment", restored),
    Fault("primary moved by hand", primary_moved, failures_allowed=None, gap_s=25.0),
    Fault("primary lost, synchronous", primary_lost_synchronous, failures_allowed=None, gap_s=25.0),
    Fault("primary lost, asynchronous", primary_lost, failures_allowed=None, gap_s=25.0, may_lose=True),
    Fault("PostgreSQL away 20 s", postgres_away, failures_allowed=None),
    Fault("everything killed -9", everything_killed, failures_allowed=None),
)


async def _killed(system: System, *programs: Program, node: Node) -> Outcome:
    for program in programs:
        program.kill()
    await asyncio.sleep(5)
    for program in programs:
        program.start()
    await asyncio.to_thread(system.wait_for, node)
    return Outcome()


async def _redis(
    system: System, load: Load, strike: Callable[[Program], None], heal: Callable[[Program], None]
) -> Outcome:
    """Strike a master while tokens of all masters are used; a revoked one must not become valid again."""
    revoked = await _token(load)
    await _revoke(load, revoked)
    tokens = [await _token(load) for _ in range(12)]
    owners = await asyncio.to_thread(_owners, system)
    index = next(index for index in range(MASTERS) if index in set(owners))
    master = system.layout.redis[index]
    lost = [token for token in tokens if owners[_slot(token)] == index]
    uses = [asyncio.create_task(_use(load, token, seconds=9)) for token in tokens]
    await asyncio.sleep(1)
    strike(master)
    answers = await asyncio.gather(*uses)
    heal(master)
    living = sum(failed for token, (failed, _) in zip(tokens, answers, strict=True) if token not in lost)
    dead_s = max((gap for token, (_, gap) in zip(tokens, answers, strict=True) if token in lost), default=0.0)
    await _until(system, lambda: _is_master_again(system, index), "the master is back in its place")
    status = await asyncio.to_thread(_status, load, revoked)
    return Outcome(
        f"living slots: {living} failed without retries; its slots away {dead_s:.1f} s; revoked token: {status}",
        living == 0 and dead_s <= 6 and status == 401,
    )


async def _use(load: Load, token: str, *, seconds: float) -> tuple[int, float]:
    """Use a token without retries; return how often it failed, and the longest time between two successes."""
    failed, longest, end = 0, 0.0, time.monotonic() + seconds
    last = time.monotonic()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10) as http:
        while time.monotonic() < end:
            try:
                status = (await http.get(f"{load.base_url}/me")).status_code
            except httpx.HTTPError:
                status = 0
            if status == 200:
                last, longest = time.monotonic(), max(longest, time.monotonic() - last)
            else:
                failed += 1
            await asyncio.sleep(0.5)
    return failed, max(longest, time.monotonic() - last - 0.5)


def _owners(system: System) -> list[int]:
    """Return which Redis process has each slot."""
    hosts = system.place.redis_hosts()
    with redis.Redis(hosts[MASTERS], REDIS_PORT, decode_responses=True) as client:
        ranges = client.execute_command("CLUSTER SLOTS")
    owners = [-1] * 16384
    for start, stop, (host, *_), *_ in ranges:
        owners[start : stop + 1] = [hosts.index(host)] * (stop + 1 - start)
    return owners


def _is_master_again(system: System, index: int) -> bool:
    """Let a returned master take over again, as the runbook does, so that the zones stay as they were."""
    if index in _owners(system):
        return True
    with contextlib.suppress(redis.RedisError), redis.Redis(system.place.redis_hosts()[index], REDIS_PORT) as client:
        client.execute_command("CLUSTER FAILOVER")
    time.sleep(0.5)
    return False


def _reads(system: System) -> Counter[str]:
    """Return how many reads the servers of PostgreSQL have answered for zone B."""
    reads: Counter[str] = Counter()
    for node in system.serving:
        if node.zone == "b":
            for line in httpx.get(f"{node.api_url}/metrics", timeout=10).text.splitlines():
                if found := re.match(r'redcore_reads_total\{server="(\w+)"\} (\S+)', line):
                    reads[found[1]] += int(float(found[2]))
    return reads


def _configure_patroni(system: System, **values: object) -> None:
    zone = system.primary()
    assert zone is not None
    httpx.patch(f"{system.place.patroni_url(zone)}/config", json=values, timeout=10).raise_for_status()


def _synchronous(system: System) -> bool:
    zone = system.primary()
    assert zone is not None
    members = httpx.get(f"{system.place.patroni_url(zone)}/cluster", timeout=10).json()["members"]
    return any(member["role"] == "sync_standby" and member["state"] == "streaming" for member in members)


def _slot(token: str) -> int:
    """Return the slot of a token's grant."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return int(key_slot(redis_keys.grant(claims["gid"]).encode()))


def _status(load: Load, token: str) -> int:
    return httpx.get(f"{load.base_url}/me", headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code


async def _token(load: Load) -> str:
    async with _as_application(load) as http:
        answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"})
    return str(answer.json()["access_token"])


async def _revoke(load: Load, token: str) -> None:
    async with _as_application(load) as http:
        (await http.post("/oauth/revoke", data={"token": token})).raise_for_status()


def _as_application(load: Load) -> httpx.AsyncClient:
    client = (load.credentials["REDCORE_CLIENT_ID"], load.credentials["REDCORE_CLIENT_SECRET"])
    return httpx.AsyncClient(base_url=load.base_url.removesuffix("/v1"), auth=client, timeout=30)


async def _until(system: System, holds: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(system.eventually, holds, what)


async def _statuses(load: Load, *, seconds: float) -> str:
    """Call without retries, and count the statuses: every call must end with an answer."""
    counted: Counter[str] = Counter()
    headers = {"Authorization": f"Bearer {load.credentials['REDCORE_API_KEY']}"}
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        while time.monotonic() < end:
            try:
                answer = await http.get(f"{load.base_url}/me")
            except httpx.HTTPError as error:
                counted[type(error).__name__] += 1
            else:
                is_right = answer.status_code == 503 and "Retry-After" in answer.headers and "error" in answer.json()
                counted["503 with Retry-After" if is_right else str(answer.status_code)] += 1
            await asyncio.sleep(0.2)
    return ", ".join(f"{count} x {name}" for name, count in counted.items())


def _serves(load: Load) -> bool:
    headers = {"Authorization": f"Bearer {load.credentials['REDCORE_API_KEY']}"}
    try:
        return httpx.get(f"{load.base_url}/me", headers=headers, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _execute(system: System, zone: str, statement: str) -> None:
    with psycopg.connect(system.place.database_url(zone), autocommit=True) as connection:
        connection.execute(statement.encode())
