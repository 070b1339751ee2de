"""A Redis Cluster of three masters with a replica each, whose nodes can be killed, suspended and restarted.

Every node starts with a finished `nodes.conf`, so nothing has to be negotiated; what remains are the two seconds that
Redis waits before a fresh master answers.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import attrs
import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry
from tests.server.support.ports import free_port

from redcore_server.embedded.binaries import account_for, redis_program

SLOTS = 16384
MASTERS = 3
BUS = 10_000  # the offset of a node's cluster bus from its port
NODE_TIMEOUT_MS = 1000
DEADLINE_S = 120.0


@attrs.define
class ClusterNode:
    """One process of the cluster."""

    name: str
    port: int
    slots: range | None
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or restart it with its data."""
        program = redis_program(account_for(self.folder.parent))
        timeout = ["--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--cluster-replica-validity-factor", "0"]
        options = ["--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", "", "--dir", str(self.folder)]
        command = [str(program), "--port", str(self.port), *options, *timeout, "--repl-diskless-sync-delay", "0"]
        self.process = subprocess.Popen(  # noqa: S603 - the Redis of our own wheel
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @property
    def is_running(self) -> bool:
        """Return whether it was started and not killed since."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def hold(self) -> None:
        """Suspend it: it keeps its connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """Resume a suspended one."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def move(self, key: str, target: ClusterNode) -> None:
        """Move a key, whose slot is moving, to another node."""
        with self.client() as client:
            client.migrate("127.0.0.1", target.port, key, 0, timeout=5000)

    def has_answered(self, error: str) -> bool:
        """Return whether it has answered a command with an error since it was started."""
        with self.client() as client:
            return f"errorstat_{error}" in client.info("errorstats")

    def client(self) -> redis.Redis:
        """Return a client to this node alone."""
        return redis.Redis(port=self.port, decode_responses=True, socket_timeout=1, retry=Retry(NoBackoff(), 0))


@attrs.frozen
class RedisCluster:
    """The cluster; masters and replicas change with every failover, so they are read from it."""

    nodes: list[ClusterNode]

    @property
    def url(self) -> str:
        """The URL with the addresses of the first three nodes."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:MASTERS])

    def pairs(self) -> list[tuple[ClusterNode, ClusterNode]]:
        """Return the masters, each with its replica."""
        by_port = {node.port: node for node in self.nodes}
        return [(by_port[master[1]], by_port[replicas[0][1]]) for _, _, master, *replicas in self._slots() if replicas]

    def pair_of(self, key: str) -> tuple[ClusterNode, ClusterNode]:
        """Return the master that has a key, and its replica."""
        slot, by_port = key_slot(key.encode()), {node.port: node for node in self.nodes}
        for start, stop, master, replica in self._slots():
            if start <= slot <= stop:
                return by_port[master[1]], by_port[replica[1]]
        raise LookupError(key)

    def keys(self, master: ClusterNode, name: str) -> Iterator[str]:
        """Yield names of keys in the slots of a master."""
        slots = {
            slot
            for start, stop, owner, *_ in self._slots()
            if owner[1] == master.port
            for slot in range(start, stop + 1)
        }
        return (key for key in (f"{name}:{number}" for number in itertools.count()) if key_slot(key.encode()) in slots)

    def promote(self, replica: ClusterNode) -> None:
        """Make a replica the master now, as the cluster itself does after its timeout; all nodes know it then."""
        with replica.client() as client:
            client.execute_command("CLUSTER FAILOVER TAKEOVER")
        eventually(lambda: all(replica.port in masters for masters in self._views()))

    @contextlib.contextmanager
    def moving(self, key: str, source: ClusterNode, target: ClusterNode) -> Generator[None]:
        """Start to move the slot of a key from one master to another; in the end it stays."""
        slot = key_slot(key.encode())
        with source.client() as giver, target.client() as taker:
            taker.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", giver.execute_command("CLUSTER MYID"))
            giver.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", taker.execute_command("CLUSTER MYID"))
            yield
            for node in (taker, giver):
                node.execute_command("CLUSTER SETSLOT", slot, "STABLE")

    def heal(self) -> None:
        """Bring every node back and empty them; each master has its replica again afterwards."""
        for node in self.nodes:
            node.release()
        for master, replica in self.pairs():
            if not master.is_running:
                self.promote(replica)  # a killed master that comes back as a replica need not wait for two seconds
        for node in self.nodes:
            if not node.is_running:
                node.start()
        eventually(lambda: all(map(_is_ready, self.nodes)) and len(self.pairs()) == MASTERS)
        for master, _ in self.pairs():
            with master.client() as client:
                client.flushall()

    def _views(self) -> Iterator[set[int]]:
        """Yield the masters as seen by each node that answers."""
        for node in self.nodes:
            with contextlib.suppress(redis.ConnectionError, redis.TimeoutError), node.client() as client:
                yield {master[1] for _, _, master, *_ in client.execute_command("CLUSTER SLOTS")}

    def _slots(self) -> list[Any]:
        for node in self.nodes:
            with contextlib.suppress(redis.RedisError), node.client() as client:
                return list(client.execute_command("CLUSTER SLOTS"))
        raise RuntimeError("no node answers")


@contextlib.contextmanager
def cluster_in(folder: Path) -> Generator[str]:
    """Run a cluster whose files are in a folder, and return its URL."""
    with running_cluster(folder) as cluster:
        yield cluster.url


@contextlib.contextmanager
def running_cluster(folder: Path) -> Generator[RedisCluster]:
    """Run a cluster whose files are in a folder."""
    nodes = [_described(folder, index) for index in range(2 * MASTERS)]
    cluster = RedisCluster(nodes)
    try:
        for index, node in enumerate(nodes):
            node.folder.mkdir()
            (node.folder / "nodes.conf").write_text(_configuration(nodes, index))
            node.start()
        eventually(lambda: all(map(_is_ready, nodes)))
        yield cluster
    finally:
        for node in nodes:
            node.kill()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something becomes true in another process."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError):
            if holds():
                return
        time.sleep(0.02)
    raise TimeoutError("the cluster did not get there")


def _described(folder: Path, index: int) -> ClusterNode:
    share = -(-SLOTS // MASTERS)
    slots = range(index * share, min((index + 1) * share, SLOTS)) if index < MASTERS else None
    return ClusterNode(name=f"{index + 1:040x}", port=free_port(BUS), slots=slots, folder=folder / f"node{index}")


def _configuration(nodes: list[ClusterNode], own: int) -> str:
    """Return what a node would have saved itself: the nodes, and their slots."""
    lines = []
    for index, node in enumerate(nodes):
        flags = ("myself," if index == own else "") + ("master" if node.slots else "slave")
        master = "-" if node.slots else nodes[index - MASTERS].name
        slots = f" {node.slots[0]}-{node.slots[-1]}" if node.slots else ""
        address = f"127.0.0.1:{node.port}@{node.port + BUS}"
        epoch = index + 1 if node.slots else 0  # a replica that had the highest would take over without a new one
        lines.append(f"{node.name} {address} {flags} {master} 0 0 {epoch} connected{slots}")
    return "\n".join([*lines, f"vars currentEpoch {MASTERS} lastVoteEpoch 0", ""])


def _is_ready(node: ClusterNode) -> bool:
    with node.client() as client:
        if client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            return False
        role = client.execute_command("ROLE")
        return bool(role[2]) if role[0] == "master" else role[3] == "connected"
