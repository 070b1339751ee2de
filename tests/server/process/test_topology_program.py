"""Programs that a topology starts: one that detaches itself ends with it, too."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.server.support.processes import alive, descendants, eventually

# A topology as `up` runs one: a program detaches another from itself, as Patroni does with PostgreSQL.
PARENT = """
import pathlib, sys
from redcore_server.process.topology.program import Program
folder = pathlib.Path(sys.argv[1])
detached = f"echo $$ > {folder}/new; mv {folder}/new {folder}/detached; exec sleep 1000"
waited = f"until [ -e {folder}/detached ]; do sleep 0.05; done"
script = f"setsid --fork sh -c '{detached}'; {waited}; {sys.argv[2]}"
program = Program(name="patroni", command=["/bin/sh", "-c", script], logs=folder, detaches=True)
program.start()
print("started", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def started(folder: Path, rest: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a parent; yield it and the process that its program has detached from itself."""
    command = [sys.executable, "-c", PARENT, str(folder), rest]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            assert eventually((folder / "detached").exists)
            yield process, int((folder / "detached").read_text())
        finally:
            process.kill()


def test_a_detached_program_ends_when_the_topology_is_killed(tmp_path: Path) -> None:
    """PostgreSQL is in a session of its own; `kill -9` of `redcore-server topology up` leaves nothing behind."""
    with started(tmp_path, "exec sleep 1000") as (process, detached):
        all_of_them = descendants(process.pid)
        process.kill()

        assert detached in all_of_them
        assert eventually(lambda: not alive(all_of_them))


def test_a_detached_program_ends_with_its_parent(tmp_path: Path) -> None:
    """As in a container, whose first process is Patroni."""
    with started(tmp_path, "exit 0") as (_, detached):
        assert eventually(lambda: not alive({detached}))
