"""The processes of the topology, and the options each is started with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs

from redcore_server.process.topology import stores
from redcore_server.process.topology.certificates import NODE_NAME, Certificates, issue
from redcore_server.process.topology.network import LOOPBACK, ZONES, Network, system_program
from redcore_server.process.topology.program import Program
from redcore_server.process.topology.stores import DEPLOY, Place
from redcore_server.settings import OperatorError

PUBLIC: Final = "127.0.0.1:14000"
_NODES: Final = 4  # per zone; half of them run at the start
_CONNECTIONS: Final = 10  # few: the processes of all nodes share one PostgreSQL
_NODE_HOST, _BALANCER_HOST, _NO_HOST = 10, 2, 250  # numbers of hosts: before the first node, of the balancer, of none


@attrs.frozen(kw_only=True)
class Node:
    """One API node: gateway, auth service and API.

    Attributes:
        name: Name of the node, such as `a1`.
        zone: `a` or `b`.
        slot: Slot in the zone's load balancer.
        host: Address of its processes.
        gateway: Process of the gateway.
        auth: Process of the auth service.
        api: Process of the API.
    """

    name: str
    zone: str
    slot: int
    host: str
    gateway: Program
    auth: Program
    api: Program

    @property
    def url(self) -> str:
        """Origin of the gateway."""
        return f"https://{self.host}:14010"

    @property
    def api_url(self) -> str:
        """Origin of the API behind it."""
        return f"http://{self.host}:14012"

    @property
    def programs(self) -> tuple[Program, Program, Program]:
        """All three processes, in start order."""
        return (self.auth, self.api, self.gateway)


@attrs.frozen
class ObjectStore:
    """An object store of several regions.

    Attributes:
        programs: Its processes.
        environment: Settings of the servers of each zone.
        prepare: Waits until it answers and makes its bucket.
    """

    programs: Sequence[Program]
    environment: Mapping[str, Mapping[str, str]]
    prepare: Callable[[], object]


@attrs.frozen(kw_only=True)
class Layout:
    """All parts of the topology, none of them started."""

    place: Place
    certificates: Certificates
    etcd: Program
    postgres: dict[str, Program]
    redis: list[Program]
    objects: ObjectStore
    zones: dict[str, Program]
    balancer: Program
    nodes: list[Node]
    workers: list[Program]
    environment: Mapping[str, str]

    @property
    def base_url(self) -> str:
        """The base URL for an SDK."""
        return f"https://{PUBLIC}/v1"

    def zone_socket(self, zone: str) -> Path:
        """Return the address of the runtime API of a zone's load balancer."""
        return _zone_socket(self.place, zone)

    def programs(self) -> list[Program]:
        """All processes."""
        nodes = [program for node in self.nodes for program in node.programs]
        parts = [self.etcd, *self.postgres.values(), *self.redis, *self.objects.programs]
        return [*parts, *nodes, *self.workers, *self.zones.values(), self.balancer]


def lay_out(folder: Path, network: Network = LOOPBACK, objects: ObjectStore | None = None) -> Layout:
    """Return the topology of a folder.

    Args:
        folder: An empty folder, accessible to every account: PostgreSQL refuses to run as root.
        network: Addresses of the zones.
        objects: Object store; None keeps the objects in the folder.

    Raises:
        OperatorError: A required program is missing.
    """
    if find_spec("patroni") is None:
        raise OperatorError("The topology needs Patroni: pip install 'patroni[etcd3,psycopg3]'.")
    place = Place(folder, network)
    place.logs.mkdir()
    hosts = [network.ip(zone, _NODE_HOST + slot) for zone in ZONES for slot in range(1, _NODES + 1)]
    certificates = issue(folder / "tls", public=[PUBLIC.partition(":")[0], "localhost"], nodes=hosts)
    objects = objects or ObjectStore([], {zone: _in_a_folder(folder) for zone in ZONES}, lambda: None)
    server = {zone: {**_environment(place, certificates), **objects.environment[zone]} for zone in ZONES}
    return Layout(
        place=place,
        certificates=certificates,
        etcd=stores.etcd(place),
        postgres=stores.postgres(place),
        redis=stores.redis_cluster(place),
        objects=objects,
        zones={zone: _zone(place, certificates, zone) for zone in ZONES},
        balancer=_balancer(place, certificates),
        nodes=[_node(place, server[zone], zone, slot) for slot in range(1, _NODES + 1) for zone in ZONES],
        workers=[_worker(place, server[zone], zone) for zone in ZONES],
        environment=server["a"],
    )


def redcore_server(*arguments: str) -> list[str]:
    """Return the command line of this server."""
    return [sys.executable, "-m", "redcore_server", *arguments]


def _in_a_folder(folder: Path) -> dict[str, str]:
    return {"REDCORE_SERVER_OBJECTS_URL": (folder / "objects").as_uri()}


def _environment(place: Place, certificates: Certificates) -> dict[str, str]:
    """Return the settings that all servers share. Those with a secret are files, as in a deployment."""
    secrets = {"DATABASE_URL": place.database_url(), "REDIS_URL": place.redis_url()}
    files = {name: place.folder / "secrets" / name.lower() for name in secrets}
    for name, secret in secrets.items():
        files[name].parent.mkdir(mode=0o700, exist_ok=True)
        files[name].write_text(f"{secret}\n")
    return {
        **{f"REDCORE_SERVER_{name}_FILE": str(file) for name, file in files.items()},
        "REDCORE_SERVER_DATA": str(place.folder / "data"),
        "REDCORE_SERVER_PUBLIC_URL": f"https://{PUBLIC}",
        "REDCORE_SERVER_TLS_CERTIFICATE": str(certificates.node),
        "REDCORE_SERVER_TLS_KEY": str(certificates.node_key),
        "REDCORE_SERVER_TRUSTED_PROXIES": ",".join(["127.0.0.0/8", *map(place.network.subnet, ZONES)]),
        "REDCORE_SERVER_DATABASE_CONNECTIONS": str(_CONNECTIONS),
        "REDCORE_SERVER_START_SECONDS": "60",
        "REDCORE_SERVER_MIGRATE_AT_START": "false",
        "REDCORE_SERVER_STOP_NOTICE_SECONDS": "2",
        "REDCORE_SERVER_ENTERPRISE_PER_MINUTE": "1000000",
        "REDCORE_SERVER_ENTERPRISE_PER_SECOND": "100000",
        "REDCORE_SERVER_ANONYMOUS_PER_MINUTE": "100000",
        "REDCORE_SERVER_LOG_LEVEL": "warning",
    }


def _zone_socket(place: Place, zone: str) -> Path:
    return place.folder / f"zone-{zone}.sock"


def _zone(place: Place, certificates: Certificates, zone: str) -> Program:
    environment = {
        "ZONE_BIND": f"{place.network.ip(zone, _BALANCER_HOST)}:14080",
        "ZONE_NODES": f"{place.network.ip(zone, _NO_HOST)}:1",  # slots are filled when nodes become ready
        "ZONE_SOCKET": str(_zone_socket(place, zone)),
        "ZONE_CERTIFICATE": str(certificates.edge),
        "NODES_AUTHORITY": str(certificates.authority),
        "NODES_NAME": NODE_NAME,
        "ERRORS": str(DEPLOY / "haproxy" / "errors"),
    }
    command = [system_program("haproxy"), "-db", "-f", str(DEPLOY / "haproxy" / "zone.cfg")]
    enter = place.network.enter(zone)
    return Program(name=f"zone-{zone}", command=command, environment=environment, logs=place.logs, enter=enter)


def _balancer(place: Place, certificates: Certificates) -> Program:
    zones = {f"ZONE_{zone.upper()}": f"{place.network.ip(zone, _BALANCER_HOST)}:14080" for zone in ZONES}
    command = [system_program("haproxy"), "-db", "-f", str(DEPLOY / "haproxy" / "global.cfg")]
    environment = {"PUBLIC_BIND": PUBLIC, "ZONES_AUTHORITY": str(certificates.authority), **zones}
    return Program(name="balancer", command=command, environment=environment, logs=place.logs)


def _node(place: Place, server: Mapping[str, str], zone: str, slot: int) -> Node:
    name, host = f"{zone}{slot}", place.network.ip(zone, _NODE_HOST + slot)
    addresses = {"REDCORE_SERVER_AUTH_URL": f"http://{host}:14011", "REDCORE_SERVER_API_URL": f"http://{host}:14012"}
    replica = {"REDCORE_SERVER_REPLICA_URL": place.database_url("b")} if zone == "b" else {}
    environment = {**server, **addresses, **replica}

    def program(role: str, port: str) -> Program:
        command = redcore_server(role, "--host", host, "--port", port)
        enter = place.network.enter(zone)
        logged = {"REDCORE_SERVER_LOG_LEVEL": "info"} if role == "gateway" else {}  # its access log
        return Program(
            name=f"{name}-{role}", command=command, environment=environment | logged, logs=place.logs, enter=enter
        )

    gateway, auth, api = program("gateway", "14010"), program("auth", "14011"), program("api", "14012")
    return Node(name=name, zone=zone, slot=slot, host=host, gateway=gateway, auth=auth, api=api)


def _worker(place: Place, server: Mapping[str, str], zone: str) -> Program:
    enter = place.network.enter(zone)
    return Program(
        name=f"worker-{zone}", command=redcore_server("worker"), environment=server, logs=place.logs, enter=enter
    )
