"""Starts the topology in dependency order, maintains the load balancers' node lists, and stops everything."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

import attrs
import psycopg

from redcore_server.process.topology.layout import PUBLIC, Layout, Node, ObjectStore, lay_out, redcore_server
from redcore_server.process.topology.network import LOOPBACK, Network
from redcore_server.process.topology.program import Program
from redcore_server.process.topology.stores import DEPLOY, Place
from redcore_server.settings import OperatorError

_READY_S: Final = 120.0  # Patroni elects a leader in up to half a minute, more on a busy machine
_PAUSE_S: Final = 0.1  # less than a person notices
_NODES_AT_START: Final = 4  # half of those that are laid out


@attrs.define
class System:
    """The running topology.

    Attributes:
        layout: Its processes.
        credentials: The `export` lines of its organisation.
    """

    layout: Layout
    credentials: str = ""
    serving: list[Node] = attrs.field(factory=list[Node])

    @property
    def place(self) -> Place:
        """Its addresses and files."""
        return self.layout.place

    def start(self, progress: Callable[[str], None]) -> None:
        """Start everything; return when requests are answered.

        Args:
            progress: Called with the name of each part that is started.

        Raises:
            OperatorError: A part does not start.
        """
        layout = self.layout
        progress("etcd, PostgreSQL by Patroni, Redis Cluster, object store")
        for program in (layout.etcd, layout.postgres["a"], *layout.redis, *layout.objects.programs):
            program.start()
        if not self.credentials:  # the first one to start becomes the primary
            self.eventually(lambda: self.primary() is not None, "PostgreSQL has a primary")
        layout.postgres["b"].start()
        self.eventually(lambda: self.primary() is not None, "PostgreSQL has a primary")
        layout.objects.prepare()
        if not self.credentials:
            progress("migrations and an organisation")
            self._run("migrate")
            authority = f"export SSL_CERT_FILE={shlex.quote(str(layout.certificates.authority))}\n"
            self.credentials = self._run("seed") + authority
        progress("balancers, nodes, workers")
        for program in (*layout.zones.values(), layout.balancer, *layout.workers):
            program.start()
        for node in self.serving or layout.nodes[:_NODES_AT_START]:
            self.add_node(node, wait=False)
        for node in self.serving:
            self.wait_for(node)
        self.eventually(lambda: self.replica() is not None, "PostgreSQL has a replica")
        self.eventually(lambda: self.answers(f"{layout.base_url.removesuffix('/v1')}/healthz"), "the platform answers")

    def add_node(self, node: Node, *, wait: bool = True) -> None:
        """Start a node and add it to its zone's load balancer."""
        for program in node.programs:
            program.start()
        port = node.url.rpartition(":")[2]
        self.tell(node.zone, f"set server nodes/node{node.slot} addr {node.host} port {port}")
        self.tell(node.zone, f"set server nodes/node{node.slot} state ready")
        if node not in self.serving:
            self.serving.append(node)
        if wait:
            self.wait_for(node)

    def drain_node(self, node: Node) -> None:
        """Stop a node as Kubernetes does: all its processes at once."""
        for program in node.programs:
            program.stop()
        for program in node.programs:
            program.wait(60)
        self.serving.remove(node)

    def wait_for(self, node: Node) -> None:
        """Wait until a node is ready for traffic."""
        self.eventually(lambda: self.answers(f"{node.url}/readyz"), f"node {node.name} is ready")

    def kill_postgres(self, zone: str) -> None:
        """Kill a zone's PostgreSQL and its Patroni, as a power cut would."""
        self.layout.postgres[zone].kill()
        number = self.place.postmaster(zone)
        if number is not None:
            os.kill(number, signal.SIGQUIT)  # its child processes end with it; the next start recovers
            self.eventually(lambda: self.place.postmaster(zone) is None, f"PostgreSQL {zone} ends")

    def primary(self) -> str | None:
        """Return the zone of the primary PostgreSQL."""
        return next((zone for zone in self.layout.postgres if self._recovers(zone) is False), None)

    def replica(self) -> str | None:
        """Return the zone of the replica PostgreSQL."""
        return next((zone for zone in self.layout.postgres if self._recovers(zone) is True), None)

    def tell(self, zone: str, command: str) -> str:
        """Send a command to a zone's load balancer, once it is running."""
        path = str(self.layout.zone_socket(zone))
        deadline = time.monotonic() + _READY_S
        while True:
            with socket.socket(socket.AF_UNIX) as control:
                try:
                    control.connect(path)
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE_S)
                else:
                    control.sendall(f"{command}\n".encode())
                    return control.makefile().read()

    def states(self) -> Iterator[tuple[str, str]]:
        """Yield each part and its status, for display."""
        for zone in self.layout.postgres:
            recovers = self._recovers(zone)
            yield f"PostgreSQL {zone}", {None: "away", False: "primary", True: "replica"}[recovers]
        for program in self._others():
            yield program.name, "runs" if program.is_running else "away"
        for node in self.layout.nodes:
            if node in self.serving:
                yield f"node {node.name}", "ready" if self.answers(f"{node.url}/readyz") else "not ready"

    def answers(self, url: str) -> bool:
        """Return whether an address of the platform answers 200."""
        context = ssl.create_default_context(cafile=self.layout.certificates.authority)
        try:
            with urllib.request.urlopen(url, timeout=2, context=context) as response:  # noqa: S310 - our own address
                return bool(response.status == 200)
        except OSError:
            return False

    def eventually(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds.

        Raises:
            OperatorError: It does not hold within three minutes.
        """
        deadline = time.monotonic() + _READY_S
        while not holds():
            if time.monotonic() > deadline:
                raise OperatorError(f"The topology did not get there: {what}. See {self.place.logs}.")
            time.sleep(_PAUSE_S)

    def _others(self) -> list[Program]:
        """Return the processes that have no status beside running or not."""
        layout = self.layout
        return [*layout.redis, *layout.objects.programs, *layout.workers, *layout.zones.values(), layout.balancer]

    def _recovers(self, zone: str) -> bool | None:
        """Return whether a zone's PostgreSQL is a replica; None if it does not answer."""
        try:
            with psycopg.connect(self.place.database_url(zone), connect_timeout=2) as connection:
                row = connection.execute("select pg_is_in_recovery()").fetchone()
        except psycopg.OperationalError:
            return None
        return bool(row and row[0])

    def _run(self, command: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own program
            [*self.place.network.enter("a"), *redcore_server(command)],
            env={**self.layout.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OperatorError(f"redcore-server {command} failed: {done.stderr.strip()[-300:]}")
        return done.stdout


def _refuse_a_second() -> None:
    """Raise if the public address is in use: HAProxy would share it with another one's."""
    host, _, port = PUBLIC.partition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise OperatorError(f"{PUBLIC} is in use ({error.strerror}): is another topology running?") from None


@contextlib.contextmanager
def running(
    folder: Path,
    progress: Callable[[str], None],
    *,
    network: Network = LOOPBACK,
    objects: ObjectStore | None = None,
) -> Generator[System]:
    """Run the topology in a folder until the end of the block.

    Args:
        folder: An empty folder, accessible to every account.
        progress: Called with the name of each part that is started.
        network: See `lay_out`.
        objects: See `lay_out`.

    Raises:
        OperatorError: It cannot be started.
    """
    if not DEPLOY.is_dir():
        raise OperatorError(
            "The topology needs the repository: the files of reference_server/deploy are not installed."
        )
    _refuse_a_second()
    system = System(lay_out(folder, network, objects))
    try:
        system.start(progress)
        yield system
    finally:
        for program in reversed(system.layout.programs()):
            program.release()
            program.kill()
        for zone in system.layout.postgres:
            system.kill_postgres(zone)
