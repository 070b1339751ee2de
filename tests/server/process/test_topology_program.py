from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.server.support.processes import alive, descendants, eventually

# A topology as `up` runs one: a program detaches another from itself, as Patroni does with PostgreSQL.
PARENT = """
import pathlib, sys
from redcore_server.process.topology.program import Program
folder = pathlib.Path(sys.argv[1])
detached = f"echo $$ > {folder}/new; mv {folder}/new {folder}/detached; exec sleep 1000"
script = f"setsid --fork sh -c '{detached}'; {sys.argv[2]}"
program = Program(name="patroni", command=["/bin/sh", "-c", script], logs=folder, detaches=True)
program.start()
print("started", flush=True)
sys.stdin.read()
"""


def start(folder: Path, rest: str) -> tuple[subprocess.Popen[str], int]:
    """Start a parent; return it and the process that its program has detached from itself."""
    command = [sys.executable, "-c", PARENT, str(folder), rest]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    assert eventually((folder / "detached").exists)
    return process, int((folder / "detached").read_text())


def test_what_a_program_has_detached_ends_when_the_topology_is_killed(tmp_path: Path) -> None:
    """PostgreSQL is in a session of its own; `kill -9` of `redcore-server topology up` leaves nothing behind."""
    process, detached = start(tmp_path, "exec sleep 1000")
    with process:
        all_of_them = descendants(process.pid)
        process.kill()

    assert detached in all_of_them
    assert eventually(lambda: not alive(all_of_them))


def test_what_a_program_has_detached_ends_with_the_program(tmp_path: Path) -> None:
    """As in a container, whose first process is Patroni."""
    process, detached = start(tmp_path, "exit 0")
    with process:
        ended = eventually(lambda: not alive({detached}))
        process.kill()

    assert ended
