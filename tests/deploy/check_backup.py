"""Back up and restore a PostgreSQL with the files of `reference_server/deploy/postgres/`; `nox -s backup` runs it.

Patroni, pgBackRest, its loop of backups, and Patroni's way to a restore run as deployed, on one member; the object
store is OpenStack Swift behind HAProxy's TLS. Needs root and Debian's packages: `apt-get install haproxy etcd-server
postgresql pgbackrest`. Debian's PostgreSQL lacks the builtin locale of newer ones; beside that only places differ.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import psycopg
import trustme
from tests.server.support.ports import free_port
from tests.server.support.swift_store import BUCKET, KEY, SECRET, swift_in

from redcore_server.embedded.binaries import Account
from redcore_server.process.topology.network import system_program
from redcore_server.process.topology.program import Program, leashed

DEPLOY = Path(__file__).parents[2] / "reference_server" / "deploy" / "postgres"
PASSWORD = "backup"
WITHIN_S = 120.0
OTHER_INITDB = "bootstrap: {initdb: [{encoding: UTF8}, data-checksums]}\n"
STORE = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen store
    bind 127.0.0.1:{port} ssl crt {certificate}
    server swift {swift}
"""


def main() -> int:
    """Return 0 if exactly the rows of the moment are restored."""
    with tempfile.TemporaryDirectory(prefix="backup-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        stack.push(lambda kind, *_: print(logs(folder)) if kind else None)
        database = Database(folder, store(folder, stack), stack)
        database.start()
        database.run("create table kept (said text)")
        until(lambda: database.has_a("full backup"), "the first backup")
        database.run("insert into kept values ('before')")
        moment = str(database.run("select clock_timestamp()", returns=True))
        time.sleep(1)
        database.run("insert into kept values ('after')")
        database.run("select pg_switch_wal()", returns=True)
        until(database.is_archived, "the log is archived")
        database.lose()
        database.start(restore_to=moment)
        rows = database.run("select string_agg(said, ', ') from kept", returns=True)
        database.run("insert into kept values ('later')")
        until(lambda: database.has_a("diff backup"), "the next backup")
        database.stanza("check")
        listed = database.stanza("info", "--log-level-console=off")
    print(f"at {moment}: {rows}\n{listed}")
    return int(rows != "before")


def store(folder: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    """Start an object store with TLS; return the settings for pgBackRest."""
    swift = stack.enter_context(swift_in(folder))
    authority, port = trustme.CA(), free_port()
    certificate, trusted = folder / "store.pem", folder / "ca.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(trusted))
    config = folder / "store.cfg"
    address = swift.endpoint.removeprefix("http://")
    config.write_text(STORE.format(port=port, certificate=certificate, swift=address))
    program = Program(name="store", command=[system_program("haproxy"), "-db", "-f", config], logs=folder)
    stack.enter_context(started(program))
    return {
        "PGBACKREST_REPO1_S3_ENDPOINT": "localhost",
        "PGBACKREST_REPO1_STORAGE_PORT": str(port),
        "PGBACKREST_REPO1_STORAGE_CA_FILE": str(trusted),
        "PGBACKREST_REPO1_S3_URI_STYLE": "path",
        "PGBACKREST_REPO1_S3_BUCKET": BUCKET,
    }


class Database:
    """One member of the deployment's PostgreSQL, with its loop of backups."""

    def __init__(self, folder: Path, where: Mapping[str, str], stack: contextlib.ExitStack) -> None:
        """Create it, and start etcd."""
        user = pwd.getpwnam("postgres")
        self._account, self._folder, self._stack = Account(user.pw_uid, user.pw_gid), folder, stack
        self._port, self._rest, client, peer = free_port(), free_port(), free_port(), free_port()
        for name in ("home", "socket", "spool", "lock"):
            self._account.own(folder / name)
        secrets = folder / "conf.d"
        secrets.mkdir()
        (secrets / "secrets.conf").write_text(
            f"[global]\nrepo1-s3-key={KEY}\nrepo1-s3-key-secret={SECRET}\nrepo1-cipher-pass={PASSWORD}\n"
        )
        self._pgbackrest = {
            **where,
            "PGBACKREST_CONFIG": str(DEPLOY / "pgbackrest.conf"),
            "PGBACKREST_CONFIG_INCLUDE_PATH": str(secrets),
            "PGBACKREST_PG1_PATH": str(folder / "home" / "redcore"),
            "PGBACKREST_PG1_SOCKET_PATH": str(folder / "socket"),
            "PGBACKREST_PG1_PORT": str(self._port),
            "PGBACKREST_SPOOL_PATH": str(folder / "spool"),
            "PGBACKREST_LOCK_PATH": str(folder / "lock"),
            "PGHOST": str(folder / "socket"),
            "PGPORT": str(self._port),
            "PATH": f"{programs()}:/usr/bin:/bin",
        }
        self._patroni = {
            **self._pgbackrest,
            "PATRONI_NAME": "postgres-a",
            "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:{self._rest}",
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{self._rest}",
            "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{self._port}",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{self._port}",
            "PATRONI_POSTGRESQL_DATA_DIR": str(folder / "home" / "redcore"),
            "PATRONI_POSTGRESQL_BIN_DIR": str(programs()),
            "PATRONI_ETCD3_HOSTS": f"127.0.0.1:{client}",
            "PATRONI_SUPERUSER_PASSWORD": PASSWORD,
            "PATRONI_REPLICATION_PASSWORD": PASSWORD,
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "HOME": str(folder / "home"),
        }
        urls = {
            "listen-client": client,
            "advertise-client": client,
            "listen-peer": peer,
            "initial-advertise-peer": peer,
        }
        options = [word for name, port in urls.items() for word in (f"--{name}-urls", f"http://127.0.0.1:{port}")]
        one = ["--name", "e", "--initial-cluster", f"e=http://127.0.0.1:{peer}", "--data-dir", str(folder / "etcd")]
        etcd = Program(name="etcd", command=[system_program("etcd"), *options, *one], logs=folder)
        stack.enter_context(started(etcd))
        config = folder / "patroni"
        config.mkdir()
        shutil.copy(DEPLOY / "patroni.yml", config / "1.yml")
        sockets = f"postgresql: {{parameters: {{unix_socket_directories: {folder}/socket}}}}\n"
        (config / "2.yml").write_text(OTHER_INITDB + sockets)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        self._python = [system_program(f"python{version}"), "-S"]
        self._members: list[Program] = []

    def start(self, *, restore_to: str = "") -> None:
        """Start the member and its loop of backups; with a moment, by a restore to it."""
        if restore_to:
            shutil.copy(DEPLOY / "restore.yml", self._folder / "patroni" / "3.yml")
        backup = {**self._pgbackrest, "BACKUP_CHECK_SECONDS": "1"}
        patroni = {**self._patroni, "RESTORE_TO": restore_to}
        for name, command, environment in (
            ("patroni", [*self._python, "-m", "patroni", str(self._folder / "patroni")], patroni),
            ("backup", ["/bin/sh", str(DEPLOY / "backup.sh")], backup),
        ):
            program = Program(
                name=name, command=command, environment=environment, logs=self._folder,
                account=self._account, detaches=True,
            )  # fmt: skip
            self._members.append(program)
            self._stack.enter_context(started(program))
        until(self._is_primary, "PostgreSQL is the primary")

    def lose(self) -> None:
        """Stop the member, forget the cluster and its files, as the runbook does before a restore."""
        while self._members:
            program = self._members.pop()
            program.stop()
            if program.name == "backup":
                program.kill()
            program.wait(30)
        patronictl = [*self._python, "-c", "from patroni.ctl import ctl; ctl()"]
        remove = [*patronictl, "-c", str(self._folder / "patroni"), "remove", "redcore"]
        said = "redcore\nYes I am aware\n"
        self._as_account(remove, self._patroni, said=said)
        shutil.rmtree(self._folder / "home" / "redcore")

    def run(self, statement: str, *, returns: bool = False) -> object:
        """Run a statement; return the first value of its answer."""
        address = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self._port}/postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if returns else None
        return row and row[0]

    def stanza(self, *command: str) -> str:
        """Run a command of pgBackRest."""
        return self._as_account(["pgbackrest", "--stanza=redcore", *command], self._pgbackrest)

    def has_a(self, kind: str) -> bool:
        """Return whether the loop has made a backup of a kind; on Sundays all are full."""
        listed = self.stanza("info", "--log-level-console=off")
        return kind in listed or (listed.count("full backup") > 1 and kind != "full backup")

    def is_archived(self) -> bool:
        """Return whether all segments but the current one are archived."""
        return self.run(
            "select last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 16777216) from pg_stat_archiver",
            returns=True,
        ) is True  # fmt: skip

    def _is_primary(self) -> bool:
        try:
            return self.run("select pg_is_in_recovery()", returns=True) is False
        except psycopg.OperationalError:
            return False

    def _as_account(self, command: list[str], environment: Mapping[str, str], *, said: str = "") -> str:
        path = shutil.which(command[0], path=environment["PATH"]) or command[0]
        done = subprocess.run(  # noqa: S603 - programs of this list
            [*leashed(self._account), path, *command[1:]],
            env=dict(environment), cwd="/", input=said, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


def logs(folder: Path) -> str:
    """Return the last lines of the processes."""
    return "\n".join(f"{log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in folder.glob("*.log"))


def programs() -> Path:
    """Return the folder of the newest PostgreSQL of the system."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not folders or os.geteuid() != 0:
        sys.exit("It needs root, and: apt-get install haproxy etcd-server postgresql pgbackrest")
    return folders[-1]


@contextlib.contextmanager
def started(program: Program) -> Generator[None]:
    """Run a program until the end of the block."""
    program.start()
    try:
        yield
    finally:
        program.stop()
        program.wait(20)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something becomes true."""
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
