"""The embedded PostgreSQL: a cluster created once, a server on 127.0.0.1 with a password, no Unix socket."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import attrs

from redcore_server.embedded.binaries import Account, postgres_programs
from redcore_server.embedded.process import (
    EmbeddedServerFailed,
    Place,
    ServerProcess,
    on_free_port,
    piped,
    spawn,
)

# The working directory, which works even if the account cannot traverse the path to it.
_HERE = "/proc/self/cwd"

# The builtin C.UTF-8 compares by code point and knows the case of all of Unicode, on every machine.
_CLUSTER_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--set=scram_iterations=1",  # they protect short passwords; ours is random, and each connection pays for them
)

_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": "100",
    "wal_level": "minimal",  # it has no replicas
    "max_wal_senders": "0",
    "io_method": "sync",  # no pool of I/O workers: fewer processes, faster start
    "dynamic_shared_memory_type": "mmap",  # in the cluster, so a killed server leaves nothing in /dev/shm
    "recovery_init_sync_method": "syncfs",  # one call instead of an fsync per file after a kill
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # no DETAIL: it quotes the values of rows, such as e-mail addresses
    "log_min_error_statement": "panic",  # no statements, for the same reason
}


def start_postgres(data: Path, *, account: Account, password: str, lock: int, port: int | None = None) -> ServerProcess:
    """Start PostgreSQL on a data folder and return it once it accepts connections.

    Raises:
        EmbeddedUnavailable: The wheel is missing.
        EmbeddedServerFailed: It does not start; the message quotes its log.
    """
    programs = postgres_programs(account)
    folder = data / "postgres"
    account.own(folder)
    log = data / "postgres.log"
    log.unlink(missing_ok=True)
    place = Place(account=account, folder=folder / "cluster", log=log, lock=lock)
    if not place.folder.exists():
        _make_cluster(programs, place, password)
    # We hold the lock that every postmaster inherits, so the one in this file is dead; its process id may be reused.
    _pid_file(place).unlink(missing_ok=True)
    return on_free_port(lambda port: _serve(programs, place, port), port)


def _make_cluster(programs: Path, place: Place, password: str) -> None:
    """Create the cluster in a temporary folder and move it when complete: a kill halfway leaves none."""
    unfinished = place.folder.with_name("cluster.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    place.account.own(unfinished)
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        _HERE,
        "-U",
        "redcore",
        "--pwfile=/dev/stdin",
        *_CLUSTER_OPTIONS,
    ]
    stdin = piped(password, reader=place.account)
    try:
        initdb = spawn(attrs.evolve(place, folder=unfinished), command, orphan_signal=signal.SIGKILL, stdin=stdin)
    finally:
        os.close(stdin)
    if initdb.wait() != 0:
        raise EmbeddedServerFailed("PostgreSQL", "could not make its cluster", place.log)
    unfinished.rename(place.folder)


def _serve(programs: Path, place: Place, port: int) -> ServerProcess:
    # The file of a killed postmaster stays: PostgreSQL uses it to see whether its child processes still write.
    options = [f"--{name}={value}" for name, value in {**_OPTIONS, "port": str(port)}.items()]
    # SIGQUIT ends busy sessions too; the next start recovers from the write-ahead log.
    process = spawn(place, [programs / "postgres", "-D", _HERE, *options], orphan_signal=signal.SIGQUIT)
    server = ServerProcess(
        name="PostgreSQL",
        place=place,
        port=port,
        process=process,
        stop_signal=signal.SIGINT,
        start_again=lambda: _serve(programs, place, port),
    )
    server.wait_until(lambda: _accepts_connections(_pid_file(place), process.pid))
    return server


def _pid_file(place: Place) -> Path:
    return place.folder / "postmaster.pid"


def _accepts_connections(pid_file: Path, pid: int) -> bool:
    try:
        text = pid_file.read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return text.startswith(f"{pid}\n") and text.endswith("ready   \n")
