"""A PostgreSQL primary and a streaming replica of it, whose replay can be paused."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import attrs
import psycopg
from tests.server.support.ports import free_port

from redcore_server.embedded.binaries import Account, account_for, postgres_programs

USER = "redcore"
DEADLINE_S = 120.0
SETTINGS = (
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "io_method=sync",
    "dynamic_shared_memory_type=mmap",
    "wal_level=replica",
    "hot_standby=on",
    "max_connections=100",
    "timezone=UTC",
)


@attrs.define
class PostgresServer:
    """One server."""

    folder: Path
    port: int
    account: Account
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        command: list[str | Path] = [
            programs(self.account) / "postgres",
            "-D",
            self.folder,
            "-p",
            str(self.port),
            *settings,
        ]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                command, stdout=log, stderr=log, user=_user(self.account), group=_group(self.account)
            )
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url):
                return
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL does not answer")

    def kill(self) -> None:
        """End it at once, without a clean shutdown."""
        if self.process is not None:
            self.process.send_signal(3)  # SIGQUIT: its children end with it
            self.process.wait()

    def execute(self, statement: str) -> None:
        """Run one statement."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def postgres_pair() -> Generator[tuple[PostgresServer, PostgresServer]]:
    """Run a primary and its replica, on a folder that the account which runs them can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        account = account_for(Path(folder))
        place = Path(folder) / "pair"
        account.own(place)
        with _running(place, account) as pair:
            yield pair


@contextlib.contextmanager
def _running(place: Path, account: Account) -> Generator[tuple[PostgresServer, PostgresServer]]:
    primary = PostgresServer(place / "primary", free_port(), account)
    replica = PostgresServer(place / "replica", free_port(), account)
    try:
        _run(account, "initdb", "-D", primary.folder, "-U", USER, "--auth=trust", "--no-sync", "--locale=C.UTF-8")
        primary.start()
        _run(account, "pg_basebackup", "-D", replica.folder, "-R", "-X", "stream", "-c", "fast", "-d", primary.url)
        replica.start()
        yield primary, replica
    finally:
        replica.kill()
        primary.kill()


def programs(account: Account) -> Path:
    """Return the folder of PostgreSQL's programs."""
    return postgres_programs(account)


def _run(account: Account, program: str, *arguments: str | Path) -> None:
    command: Sequence[str | Path] = [programs(account) / program, *arguments]
    subprocess.run(  # noqa: S603 - our own programs
        command, check=True, capture_output=True, user=_user(account), group=_group(account)
    )


def _user(account: Account) -> int | None:
    return account.uid if os.geteuid() == 0 else None


def _group(account: Account) -> int | None:
    return account.gid if os.geteuid() == 0 else None
