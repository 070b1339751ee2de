"""The addresses and processes of the topology, and the options each is started with."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs

from redcore_server.embedded.binaries import Account, account_for, can_run, postgres_programs, redis_program
from redcore_server.process.topology.program import Program
from redcore_server.settings import OperatorError

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
PASSWORD: Final = "topology"  # noqa: S105 - for short-lived servers on loopback
PUBLIC: Final = "127.0.0.1:14000"
_ZONES: Final = {"a": 1, "b": 2}
_REDIS_PORT, _REDIS_BUS = 14700, 24700
_SLOTS: Final = 16384
_NODES: Final = 4  # per zone; half of them run at the start
_CONNECTIONS: Final = 10


@attrs.frozen(kw_only=True)
class Node:
    """One API node: gateway, auth service and API.

    Attributes:
        name: Name of the node, such as `a1`.
        zone: `a` or `b`.
        slot: Slot in the zone's load balancer.
        address: Address of the gateway.
        gateway: Process of the gateway.
        auth: Process of the auth service.
        api: Process of the API.
    """

    name: str
    zone: str
    slot: int
    address: str
    gateway: Program
    auth: Program
    api: Program

    @property
    def programs(self) -> tuple[Program, Program, Program]:
        """All three processes, in start order."""
        return (self.auth, self.api, self.gateway)


@attrs.frozen(kw_only=True)
class Layout:
    """All parts of the topology, none of them started."""

    folder: Path
    etcd: Program
    postgres: dict[str, Program]
    redis: list[Program]
    zones: dict[str, Program]
    balancer: Program
    nodes: list[Node]
    workers: list[Program]
    environment: Mapping[str, str]

    @property
    def base_url(self) -> str:
        """The base URL for an SDK."""
        return f"http://{PUBLIC}/v1"

    def programs(self) -> list[Program]:
        """All processes."""
        nodes = [program for node in self.nodes for program in node.programs]
        stores = [self.etcd, *self.postgres.values(), *self.redis]
        return [*stores, *nodes, *self.workers, *self.zones.values(), self.balancer]


def ip(zone: str, host: int) -> str:
    """Return an address of a zone."""
    return f"127.0.{_ZONES[zone]}.{host}"


def zone_socket(folder: Path, zone: str) -> Path:
    """Return the address of the runtime API of a zone's load balancer."""
    return folder / f"zone-{zone}.sock"


def postmaster(folder: Path, zone: str) -> int | None:
    """Return the process of a zone's PostgreSQL, which outlives its Patroni; None if it is not running."""
    try:
        number = int((folder / f"postgres-{zone}" / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(number, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return None
    return number


def database_url(*, of: str | None = None) -> str:
    """Return the URL of all PostgreSQL servers, or of one zone's."""
    hosts = ",".join(f"{ip(zone, 30)}:5432" for zone in ([of] if of else _ZONES))
    return f"postgresql://postgres:{PASSWORD}@{hosts}/postgres"


def redis_url() -> str:
    """Return the URL of the cluster."""
    return "redis+cluster://" + ",".join(f"{host}:{_REDIS_PORT}" for host in _redis_hosts()[:3])


def lay_out(folder: Path) -> Layout:
    """Return the topology of a folder.

    Args:
        folder: An empty folder, accessible to every account: PostgreSQL refuses to run as root.

    Raises:
        OperatorError: A required program is missing.
    """
    if find_spec("patroni") is None:
        raise OperatorError("The topology needs Patroni: pip install 'patroni[etcd3,psycopg3]'.")
    logs = folder / "logs"
    logs.mkdir()
    account = account_for(folder)
    server = {
        "REDCORE_SERVER_DATABASE_URL": database_url(),
        "REDCORE_SERVER_REDIS_URL": redis_url(),
        "REDCORE_SERVER_OBJECTS_URL": (folder / "objects").as_uri(),
        "REDCORE_SERVER_DATA": str(folder / "data"),
        "REDCORE_SERVER_PUBLIC_URL": f"http://{PUBLIC}",
        "REDCORE_SERVER_TRUSTED_PROXIES": "127.0.0.0/8",
        "REDCORE_SERVER_DATABASE_CONNECTIONS": str(_CONNECTIONS),
        "REDCORE_SERVER_START_SECONDS": "60",
        "REDCORE_SERVER_MIGRATE_AT_START": "false",
        "REDCORE_SERVER_STOP_NOTICE_SECONDS": "2",
        "REDCORE_SERVER_ENTERPRISE_PER_MINUTE": "1000000",
        "REDCORE_SERVER_ENTERPRISE_PER_SECOND": "100000",
        "REDCORE_SERVER_ANONYMOUS_PER_MINUTE": "100000",
        "REDCORE_SERVER_LOG_LEVEL": "warning",
    }
    return Layout(
        folder=folder,
        etcd=_etcd(folder, logs),
        postgres={zone: _patroni(folder, logs, zone, account) for zone in _ZONES},
        redis=[_redis(folder, logs, index) for index in range(6)],
        zones={zone: _zone(folder, logs, zone) for zone in _ZONES},
        balancer=_balancer(logs),
        nodes=[_node(logs, server, zone, slot) for slot in range(1, _NODES + 1) for zone in _ZONES],
        workers=[_worker(logs, server, index) for index in (1, 2)],
        environment=server,
    )


def redcore_server(*arguments: str) -> list[str]:
    """Return the command line of this server."""
    return [sys.executable, "-m", "redcore_server", *arguments]


def _system(name: str) -> str:
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        package = {"etcd": "etcd-server"}.get(name, name)
        raise OperatorError(f"The topology needs {name}: apt-get install {package}.")
    return program


def _etcd(folder: Path, logs: Path) -> Program:
    client, peer = f"http://{ip('a', 5)}:14379", f"http://{ip('a', 5)}:14380"
    addresses = ["--listen-client-urls", client, "--advertise-client-urls", client]
    peers = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"e={peer}"]
    command = [_system("etcd"), "--name", "e", "--data-dir", str(folder / "etcd"), *addresses, *peers]
    return Program(name="etcd", command=command, logs=logs)


def _patroni(folder: Path, logs: Path, zone: str, account: Account) -> Program:
    home = folder / f"postgres-{zone}"
    account.own(home)
    listen, rest = f"{ip(zone, 30)}:5432", f"{ip(zone, 30)}:14008"
    environment = {
        "PATRONI_NAME": f"postgres-{zone}",
        "PATRONI_RESTAPI_LISTEN": rest,
        "PATRONI_RESTAPI_CONNECT_ADDRESS": rest,
        "PATRONI_POSTGRESQL_LISTEN": listen,
        "PATRONI_POSTGRESQL_CONNECT_ADDRESS": listen,
        "PATRONI_POSTGRESQL_DATA_DIR": str(home / "data"),
        "PATRONI_POSTGRESQL_BIN_DIR": str(postgres_programs(account)),
        "PATRONI_POSTGRESQL_PGPASS": str(home / "pgpass"),
        "PATRONI_ETCD3_HOSTS": f"{ip('a', 5)}:14379",
        "PATRONI_SUPERUSER_PASSWORD": PASSWORD,
        "PATRONI_REPLICATION_PASSWORD": PASSWORD,
        "HOME": str(home),
    }
    command: list[str | Path] = [*_python(account, environment), "-m", "patroni", DEPLOY / "postgres" / "patroni.yml"]
    return Program(name=f"postgres-{zone}", command=command, environment=environment, logs=logs, account=account)


def _python(account: Account, environment: dict[str, str]) -> list[str]:
    """Return an interpreter that the account may run: this one, or the system's with this one's packages."""
    if can_run(account, Path(sys.executable).resolve()):
        return [sys.executable]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    environment["PYTHONPATH"] = sysconfig.get_path("purelib")
    return [_system(f"python{version}"), "-S"]  # its own packages have other versions


def _redis_hosts() -> list[str]:
    """Return the masters' hosts, then those of their replicas, each in the other zone."""
    return [ip("a", 21), ip("b", 22), ip("a", 23), ip("b", 24), ip("a", 25), ip("b", 26)]


def _redis(folder: Path, logs: Path, index: int) -> Program:
    home = folder / f"redis-{index}"
    home.mkdir()
    (home / "nodes.conf").write_text(_redis_nodes(index))
    where = ["--bind", _redis_hosts()[index], "--port", str(_REDIS_PORT), "--dir", str(home)]
    command: list[str | Path] = [redis_program(account_for(folder)), DEPLOY / "redis" / "redis.conf", *where]
    return Program(name=f"redis-{index}", command=command, logs=logs)


def _redis_nodes(own: int) -> str:
    """Return the cluster state a node would have saved; with it the nodes need not negotiate."""
    share = -(-_SLOTS // 3)
    lines: list[str] = []
    for index, host in enumerate(_redis_hosts()):
        role = "master" if index < 3 else "slave"
        flags, master = ("myself," if index == own else "") + role, "-" if index < 3 else f"{index - 3 + 1:040x}"
        slots = f" {index * share}-{min((index + 1) * share, _SLOTS) - 1}" if index < 3 else ""
        address = f"{host}:{_REDIS_PORT}@{_REDIS_BUS}"
        lines.append(f"{index + 1:040x} {address} {flags} {master} 0 0 {index % 3 + 1} connected{slots}")
    return "\n".join([*lines, "vars currentEpoch 3 lastVoteEpoch 0", ""])


def _zone(folder: Path, logs: Path, zone: str) -> Program:
    environment = {
        "ZONE_BIND": f"{ip(zone, 2)}:14080",
        "ZONE_NODES": f"{ip(zone, 250)}:1",  # slots are filled when nodes become ready
        "ZONE_SOCKET": str(zone_socket(folder, zone)),
        "ERRORS": str(DEPLOY / "haproxy" / "errors"),
    }
    command = [_system("haproxy"), "-db", "-f", str(DEPLOY / "haproxy" / "zone.cfg")]
    return Program(name=f"zone-{zone}", command=command, environment=environment, logs=logs)


def _balancer(logs: Path) -> Program:
    zones = {f"ZONE_{zone.upper()}": f"{ip(zone, 2)}:14080" for zone in _ZONES}
    command = [_system("haproxy"), "-db", "-f", str(DEPLOY / "haproxy" / "global.cfg")]
    return Program(name="balancer", command=command, environment={"PUBLIC_BIND": PUBLIC, **zones}, logs=logs)


def _node(logs: Path, server: Mapping[str, str], zone: str, slot: int) -> Node:
    name, host = f"{zone}{slot}", ip(zone, 10 + slot)
    addresses = {"REDCORE_SERVER_AUTH_URL": f"http://{host}:14011", "REDCORE_SERVER_API_URL": f"http://{host}:14012"}
    replica = {"REDCORE_SERVER_REPLICA_URL": database_url(of="b")} if zone == "b" else {}
    environment = {**server, **addresses, **replica}

    def program(role: str, port: str) -> Program:
        command = redcore_server(role, "--host", host, "--port", port)
        return Program(name=f"{name}-{role}", command=command, environment=environment, logs=logs)

    return Node(
        name=name,
        zone=zone,
        slot=slot,
        address=f"{host}:14010",
        gateway=program("gateway", "14010"),
        auth=program("auth", "14011"),
        api=program("api", "14012"),
    )


def _worker(logs: Path, server: Mapping[str, str], index: int) -> Program:
    return Program(name=f"worker-{index}", command=redcore_server("worker"), environment=dict(server), logs=logs)
