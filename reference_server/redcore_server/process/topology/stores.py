"""The stores of the topology: etcd, PostgreSQL under Patroni with its archive, the Redis Cluster."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Final

import attrs

from redcore_server.embedded.binaries import Account, account_for, can_run, postgres_programs, redis_program
from redcore_server.process.topology.network import ZONES, Network, system_program
from redcore_server.process.topology.program import Program

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
PASSWORD: Final = "topology"  # noqa: S105 - for short-lived servers on loopback
MASTERS: Final = 3  # contract section 8
REDIS_PORT: Final = 14700  # above the ports of the platform's own processes
_REDIS_BUS: Final = 24700  # Redis adds 10,000 by default
_SLOTS: Final = 16384  # Redis Cluster specification, key distribution
_POSTGRES_HOST: Final = 30  # this and the next: host numbers within a network
_ETCD_HOST: Final = 5  # see `SITE_HOSTS` in `network`


@attrs.frozen
class Place:
    """Where the topology keeps its files, and where its zones are.

    Attributes:
        folder: A folder that every account can enter: PostgreSQL refuses to run as root.
        network: Addresses of the zones.
    """

    folder: Path
    network: Network

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.folder / "logs"

    @property
    def archive(self) -> Path:
        """Folder of PostgreSQL's archived log."""
        return self.folder / "archive"

    def postgres_data(self, zone: str) -> Path:
        """Return the data folder of a zone's PostgreSQL."""
        return self.folder / f"postgres-{zone}" / "data"

    def postmaster(self, zone: str) -> int | None:
        """Return the process of a zone's PostgreSQL, which outlives its Patroni; None if it is not running."""
        try:
            number = int((self.postgres_data(zone) / "postmaster.pid").read_text().split()[0])
            os.kill(number, 0)
        except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
            return None
        return number

    def database_url(self, *zones: str) -> str:
        """Return the URL of the PostgreSQL servers of zones, by default of all."""
        hosts = ",".join(f"{self.network.ip(zone, _POSTGRES_HOST)}:5432" for zone in zones or ZONES)
        return f"postgresql://postgres:{PASSWORD}@{hosts}/postgres"

    def patroni_url(self, zone: str) -> str:
        """Return the origin of a zone's Patroni."""
        return f"http://{self.network.ip(zone, _POSTGRES_HOST)}:14008"

    def redis_hosts(self) -> list[str]:
        """Return the hosts of the masters, of their replicas in the other zone, of their replicas in their own zone.

        The masters are in the zone of PostgreSQL's primary: with the other zone nothing is lost that must be replaced
        first. The replica in their own zone lets them take writes then (`min-replicas-to-write`).
        """
        zones = ["a"] * MASTERS + ["b"] * MASTERS + ["a"] * MASTERS
        return [self.network.ip(zone, 20 + index) for index, zone in enumerate(zones)]

    def redis_url(self) -> str:
        """Return the URL of the cluster."""
        return "redis+cluster://" + ",".join(f"{host}:{REDIS_PORT}" for host in self.redis_hosts()[: 2 * MASTERS])


def etcd(place: Place) -> Program:
    """Return etcd: one process at the third site; a deployment has three, at three sites."""
    host = place.network.ip("c", _ETCD_HOST)
    client, peer = f"http://{host}:14379", f"http://{host}:14380"
    addresses = ["--listen-client-urls", client, "--advertise-client-urls", client]
    peers = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"e={peer}"]
    files = ["--name", "e", "--data-dir", str(place.folder / "etcd")]
    return Program(name="etcd", command=[system_program("etcd"), *files, *addresses, *peers], logs=place.logs)


def postgres(place: Place) -> dict[str, Program]:
    """Return the PostgreSQL of each zone, under Patroni."""
    account = account_for(place.folder)
    account.own(place.archive)
    return {zone: _patroni(place, zone, account) for zone in ZONES}


def redis_cluster(place: Place) -> list[Program]:
    """Return the nodes of the Redis Cluster, in the order of `Place.redis_hosts`."""
    return [_redis(place, index) for index in range(3 * MASTERS)]


def _patroni(place: Place, zone: str, account: Account) -> Program:
    home = place.folder / f"postgres-{zone}"
    account.own(home)
    host = place.network.ip(zone, _POSTGRES_HOST)
    listen, rest = f"{host}:5432", f"{host}:14008"
    environment = {
        "PATRONI_NAME": f"postgres-{zone}",
        "PATRONI_RESTAPI_LISTEN": rest,
        "PATRONI_RESTAPI_CONNECT_ADDRESS": rest,
        "PATRONI_POSTGRESQL_LISTEN": listen,
        "PATRONI_POSTGRESQL_CONNECT_ADDRESS": listen,
        "PATRONI_POSTGRESQL_DATA_DIR": str(place.postgres_data(zone)),
        "PATRONI_POSTGRESQL_BIN_DIR": str(postgres_programs(account)),
        "PATRONI_POSTGRESQL_PGPASS": str(home / "pgpass"),
        "PATRONI_ETCD3_HOSTS": f"{place.network.ip('c', _ETCD_HOST)}:14379",
        "PATRONI_SUPERUSER_PASSWORD": PASSWORD,
        "PATRONI_REPLICATION_PASSWORD": PASSWORD,
        "HOME": str(home),
    }
    command = [*_python(account, environment), "-m", "patroni", str(_patroni_files(place))]
    return Program(
        name=f"postgres-{zone}",
        command=command,
        environment=environment,
        logs=place.logs,
        account=account,
        detaches=True,  # PostgreSQL
        enter=place.network.enter(zone),
    )


def _patroni_files(place: Place) -> Path:
    """Return the folder of Patroni's configuration: the deployed one, with an archive here, and without pgBackRest."""
    files = place.folder / "patroni"
    files.mkdir(exist_ok=True)
    shutil.copy(DEPLOY / "postgres" / "patroni.yml", files / "1.yml")
    archive = shlex.quote(str(place.archive))
    parameters = f'{{archive_command: "cp %p {archive}/%f", unix_socket_directories: ""}}'
    recovery = f'{{restore_command: "cp {archive}/%f %p"}}'
    (files / "2.yml").write_text(f"postgresql: {{parameters: {parameters}, recovery_conf: {recovery}}}\n")
    return files


def _python(account: Account, environment: dict[str, str]) -> list[str]:
    """Return an interpreter that the account may run: this one, or the system's with this one's packages."""
    if can_run(account, Path(sys.executable).resolve()):
        return [sys.executable]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    environment["PYTHONPATH"] = sysconfig.get_path("purelib")
    return [system_program(f"python{version}"), "-S"]  # its own packages have other versions


def _redis(place: Place, index: int) -> Program:
    home, host = place.folder / f"redis-{index}", place.redis_hosts()[index]
    home.mkdir()
    (home / "nodes.conf").write_text(_redis_nodes(place, index))
    where = ["--bind", host, "--port", str(REDIS_PORT), "--dir", str(home)]
    command: list[str | Path] = [redis_program(account_for(place.folder)), DEPLOY / "redis" / "redis.conf", *where]
    zone = "b" if index // MASTERS == 1 else "a"
    return Program(name=f"redis-{index}", command=command, logs=place.logs, enter=place.network.enter(zone))


def _redis_nodes(place: Place, own: int) -> str:
    """Return the cluster state a node would have saved; with it the nodes need not negotiate."""
    share = -(-_SLOTS // MASTERS)
    lines: list[str] = []
    for index, host in enumerate(place.redis_hosts()):
        role = "master" if index < MASTERS else "slave"
        flags = ("myself," if index == own else "") + role
        master = "-" if index < MASTERS else f"{index % MASTERS + 1:040x}"
        slots = f" {index * share}-{min((index + 1) * share, _SLOTS) - 1}" if index < MASTERS else ""
        address = f"{host}:{REDIS_PORT}@{_REDIS_BUS}"
        lines.append(f"{index + 1:040x} {address} {flags} {master} 0 0 {index % MASTERS + 1} connected{slots}")
    return "\n".join([*lines, f"vars currentEpoch {MASTERS} lastVoteEpoch 0", ""])
