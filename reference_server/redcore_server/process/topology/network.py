"""Where the zones are: on loopback addresses, or each in a network namespace of its own, which can be cut off.

    site c (this process's network: clients, global balancer, etcd)
       │ redcore-a            │ redcore-b
    zone a ───── other ───── zone b

A cut drops the packets of all links of a zone, at both ends: no process gets an error, each waits, as with a broken
cable. Namespaces need root and the system's iproute2 and util-linux; they end with the processes in them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from redcore_server.process.topology.program import leashed
from redcore_server.settings import OperatorError

ZONES: Final = ("a", "b")
_NUMBERS: Final = {"a": 1, "b": 2, "c": 3}
SITE_HOSTS: Final = (1, 5)  # addresses of site c: its own, and etcd's
_READY_S: Final = 5.0  # to make the addresses usable, which takes milliseconds


@attrs.frozen
class Network:
    """The addresses of the zones, and the way into them.

    Attributes:
        prefix: First two bytes of every address.
        namespaces: Process that holds the namespace of each zone; empty on loopback.
    """

    prefix: str = "127.0"
    namespaces: Mapping[str, int] = attrs.field(factory=dict[str, int])

    def ip(self, zone: str, host: int) -> str:
        """Return an address of a zone."""
        return f"{self.prefix}.{_NUMBERS[zone]}.{host}"

    def subnet(self, zone: str) -> str:
        """Return the addresses of a zone."""
        return f"{self.prefix}.{_NUMBERS[zone]}.0/24"

    def enter(self, zone: str) -> list[str]:
        """Return the beginning of a command line that runs in a zone."""
        if zone not in self.namespaces:
            return []
        return [system_program("nsenter"), f"--net=/proc/{self.namespaces[zone]}/ns/net", "--"]

    def cut(self, zone: str) -> None:
        """Drop all packets between a zone and everything else."""
        for side, link in self._ends(zone):
            _run([*self.enter(side), "tc", "qdisc", "replace", "dev", link, "root", "pfifo", "limit", "0"])

    def heal(self, zone: str) -> None:
        """Let packets pass again."""
        for side, link in self._ends(zone):
            _run([*self.enter(side), "tc", "qdisc", "del", "dev", link, "root"])

    def _ends(self, zone: str) -> Iterator[tuple[str, str]]:
        (other,) = (each for each in ZONES if each != zone)
        return iter([(zone, "out"), (zone, "other"), (other, "other"), ("c", f"redcore-{zone}")])


LOOPBACK: Final = Network()


@contextlib.contextmanager
def separate_zones() -> Generator[Network]:
    """Yield a network in which each zone has a namespace of its own, until the end of the block.

    Raises:
        OperatorError: This account may not create namespaces, or a program for it is missing.
    """
    if os.geteuid() != 0:
        raise OperatorError("Zones with networks of their own need root; without them, no zone can be cut off.")
    with contextlib.ExitStack() as stack:
        holders = {zone: stack.enter_context(_namespace()) for zone in ZONES}
        network = Network("10.213", holders)
        for zone in ZONES:
            _run([*_link(f"redcore-{zone}"), "peer", "name", "out", "netns", holders[zone]])
        _run([*network.enter("a"), *_link("other"), "peer", "name", "other", "netns", holders["b"]])
        for host in SITE_HOSTS:
            _run(["ip", "addr", "add", f"{network.ip('c', host)}/32", "dev", "redcore-a"])
        for zone in ZONES:
            _connect(network, zone)
        yield network


def system_program(name: str) -> str:
    """Return the path of a program of the system.

    Raises:
        OperatorError: It is not installed.
    """
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        package = {"etcd": "etcd-server", "ip": "iproute2", "tc": "iproute2"}.get(name, name)
        raise OperatorError(f"The topology needs {name}: apt-get install {package}.")
    return program


@contextlib.contextmanager
def _namespace() -> Generator[int]:
    """Yield a process in a network namespace of its own, which exists as long as that process."""
    command = [system_program("unshare"), "--net", system_program("sleep"), "infinity"]
    with subprocess.Popen([*leashed(), *command], stdin=subprocess.DEVNULL) as holder:  # noqa: S603 - programs of the system
        try:
            _wait_until_apart(holder.pid)
            yield holder.pid
        finally:
            holder.kill()


def _wait_until_apart(process: int) -> None:
    deadline = time.monotonic() + _READY_S
    while Path(f"/proc/{process}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        if time.monotonic() > deadline:
            raise OperatorError("A network namespace cannot be created on this machine.")
        time.sleep(0.01)


def _connect(network: Network, zone: str) -> None:
    """Give a zone all addresses of its subnet, and routes to the other zone and to the site of the clients."""
    (other,) = (each for each in ZONES if each != zone)
    inside, own, here = network.enter(zone), network.ip(zone, 1), network.ip("c", 1)
    link = f"redcore-{zone}"
    for device in ("lo", "out", "other"):
        _run([*inside, "ip", "link", "set", device, "up"])
    _run(["ip", "link", "set", link, "up"])
    _run([*inside, "ip", "addr", "add", f"{own}/32", "dev", "lo"])
    _run([*inside, "ip", "route", "add", "local", network.subnet(zone), "dev", "lo"])
    _run(["ip", "route", "add", network.subnet(zone), "dev", link, "src", here])
    _run([*inside, "ip", "route", "add", network.subnet("c"), "dev", "out", "src", own])
    _run([*inside, "ip", "route", "add", network.subnet(other), "dev", "other", "src", own])


def _link(name: str) -> list[str]:
    return ["ip", "link", "add", name, "type", "veth"]


def _run(command: Sequence[str | int]) -> None:
    done = subprocess.run(  # noqa: S603 - programs of the system
        [*map(str, command)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OperatorError(f"The network cannot be set up: {' '.join(map(str, command))}: {done.stderr.strip()}")
