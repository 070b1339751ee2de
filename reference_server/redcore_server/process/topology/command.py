"""`redcore-server topology up`: the whole deployment on this machine, and a live table of their status."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from redcore_server.process.signals import interruptible

if TYPE_CHECKING:
    from redcore_server.process.topology.system import System

_REFRESH_S = 2.0  # as `watch` does
_UP = "\x1b[{}F\x1b[J"  # move the cursor up that many lines and clear everything below


@click.group()
def topology() -> None:
    """Run the deployment of two zones on this machine."""


@topology.command()
def up() -> None:
    """Start all of it, show how its parts are, and end it at Ctrl-C.

    Four nodes, PostgreSQL with a replica (Patroni), a Redis Cluster, workers, balancers. Needs the repository, haproxy
    and etcd of the system, and the package patroni.
    """
    from redcore_server.process.topology.system import running  # noqa: PLC0415 - `--help` need not wait for it

    with interruptible(), _hung_up(), tempfile.TemporaryDirectory(prefix="topology-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL refuses to run as root
        with running(Path(folder), lambda what: click.echo(f"starting {what} …")) as system:
            click.echo(f"\n{system.credentials}\nlogs      {folder}/logs\nCtrl-C    ends all of it\n")
            _show(system)


@contextlib.contextmanager
def _hung_up() -> Generator[None]:
    """Treat the end of the terminal as Ctrl-C, unless `nohup` has it ignored: a kill would leave the folder."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
    yield


def _show(system: System) -> None:
    """Print the table; on a terminal, redraw it in place."""
    shown = 0
    while True:
        lines = [f"{name:<14} {state}" for name, state in system.states()]
        if shown and sys.stdout.isatty():
            click.echo(_UP.format(shown), nl=False)
        if not shown or sys.stdout.isatty():
            click.echo("\n".join(lines))
        shown = len(lines)
        with contextlib.suppress(InterruptedError):
            time.sleep(_REFRESH_S)
