"""Embedded servers that end by themselves: restarted on their ports with their data, or given up."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import redis
from tests.server.support.processes import alive, descendants, eventually

from redcore_server.data_folder import DataFolder, Runtime
from redcore_server.embedded import EmbeddedServerFailed, EmbeddedServerLost, EmbeddedServers
from redcore_server.embedded import process as embedded_process
from redcore_server.embedded import redis as embedded_redis
from redcore_server.embedded.binaries import account_for
from redcore_server.embedded.keeper import MOST_ENDS, Keeper
from redcore_server.embedded.process import Place, ServerProcess


def postmaster(data: Path) -> int:
    return int((data / "postgres/cluster/postmaster.pid").read_text().split()[0])


def _selects(runtime: Runtime) -> bool:
    try:
        with psycopg.connect(runtime.database_url or "") as connection:
            return connection.execute("select n from kept").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def _gets(runtime: Runtime) -> bool:
    try:
        with redis.Redis.from_url(runtime.redis_url or "") as client:
            return bool(client.get("kept") == b"1")
    except redis.RedisError:
        return False


def test_killed_servers_restart_on_their_ports_with_their_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`kill -9` of both; open connections are lost, committed rows are not."""
    with contextlib.closing(DataFolder(tmp_path)) as folder, EmbeddedServers(folder) as servers:
        runtime = servers.ready()
        with psycopg.connect(runtime.database_url or "", autocommit=True) as connection:
            connection.execute("create table kept as select 1 as n")
            with redis.Redis.from_url(runtime.redis_url or "") as client:
                client.set("kept", 1)
                store = int(client.info("server")["process_id"])
            os.kill(postmaster(tmp_path), signal.SIGKILL)
            os.kill(store, signal.SIGKILL)

        assert eventually(lambda: _selects(runtime))
        assert eventually(lambda: _gets(runtime))
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "the embedded PostgreSQL ended with code -9" in errors
    assert f"the embedded Redis was started again on port {runtime.redis_port}" in errors


def test_the_next_start_reuses_the_last_ports(tmp_path: Path) -> None:
    """So that processes which knew them find the stores again."""
    with contextlib.closing(DataFolder(tmp_path)) as folder:
        with EmbeddedServers(folder) as servers:
            first = servers.ready()
        with EmbeddedServers(folder) as servers:
            second = servers.ready()

    assert (first.postgres_port, first.redis_port) == (second.postgres_port, second.redis_port)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content + bytes(512),  # as a crash of the machine leaves it
        lambda content: content + b"*1\r\n$6\r\nNOSUCH\r\n",
        lambda _content: b"REDIS0009\xfa\x09redis-ver",  # rewritten, it begins with a snapshot: cut off
        lambda _content: b"REDIS0009\xfe\x00\x7f" + bytes(100),  # of an unknown type of values
        lambda _content: b"REDIS9999",  # of a newer Redis
    ],
)
def test_a_damaged_append_only_file_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    """Redis starts empty, and one line says so."""
    with contextlib.closing(DataFolder(tmp_path)) as folder:
        with EmbeddedServers(folder, postgres=False) as servers:
            redis.Redis.from_url(servers.ready().redis_url or "").set("kept", 1)
        file = tmp_path / "redis/appendonly.aof"
        content = file.read_bytes()
        with file.open("r+b") as damaged:
            damaged.truncate()
            damaged.write(damage(content))
        for _ in range(2):
            with EmbeddedServers(folder, postgres=False) as servers:
                assert not _gets(servers.ready())

    assert len(list((tmp_path / "redis").glob("appendonly.aof.damaged-*"))) == 1
    assert len([record for record in caplog.records if "is damaged, kept as" in record.getMessage()]) == 1


def test_a_redis_that_is_killed_keeps_its_append_only_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example when it lacks memory while loading it: the file is whole."""
    log, file = tmp_path / "redis.log", tmp_path / "appendonly.aof"
    file.write_bytes(b"whole")

    def killed(*_: object) -> ServerProcess:
        log.write_text("Reading RDB preamble from AOF file...\n")
        raise EmbeddedServerFailed("Redis", "ended with code -9", log, -signal.SIGKILL)

    monkeypatch.setattr(embedded_redis, "_launch", killed)

    place = Place(account=account_for(tmp_path), folder=tmp_path, log=log, lock=0)
    with pytest.raises(EmbeddedServerFailed, match="ended with code -9"):
        embedded_redis._serve(tmp_path, place, 1, "")
    assert file.read_bytes() == b"whole"


def _ending(place: Place) -> ServerProcess:
    return ServerProcess(
        name="Redis",
        place=place,
        port=1,
        process=subprocess.Popen(["/bin/false"]),
        stop_signal=signal.SIGTERM,
        start_again=lambda: _ending(place),
    )


def test_a_server_that_recovers_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it reports progress; otherwise it is killed, because two must not work on the same data."""
    now = 0.0
    monkeypatch.setattr("redcore_server.embedded.process.time", SimpleNamespace(monotonic=lambda: now, sleep=repr))
    place = Place(account=account_for(tmp_path), folder=tmp_path, log=tmp_path / "log", lock=0)
    place.log.touch()
    process = subprocess.Popen(["/bin/sleep", "600"])
    server = ServerProcess(
        name="x", place=place, port=1, process=process, stop_signal=signal.SIGTERM, start_again=lambda: _ending(place)
    )

    def answers(*, says: str) -> bool:
        nonlocal now
        now += 20
        with place.log.open("a") as log:
            log.write(says)
        return now >= 200

    server.wait_until(lambda: answers(says="redo in progress\n"))
    now = 0.0
    with pytest.raises(EmbeddedServerFailed, match="said nothing for 30 s"):
        server.wait_until(lambda: answers(says=""))

    assert process.returncode == -signal.SIGKILL


def test_the_port_of_a_server_is_not_an_ephemeral_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise an outgoing connection could take it during a restart; any free one if the range is unknown."""
    file = tmp_path / "range"
    monkeypatch.setattr(embedded_process, "_RANGE", file)

    unknown = embedded_process._free_port()
    file.write_text("16000\t60999\n")
    known = embedded_process._free_port()

    assert unknown > 0
    assert 15_000 <= known < 16_000


def test_a_server_that_ends_repeatedly_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the fifth time within a minute, each time after twice the delay."""
    monkeypatch.setattr("redcore_server.embedded.keeper._FIRST_DELAY_S", 0.001)
    losses: list[int] = []
    keeper = Keeper(lambda: _ending(tmp_path), lambda: losses.append(1))  # type: ignore[arg-type]

    assert eventually(lambda: keeper.is_lost)
    keeper.stop()
    assert losses == [1]


def _lose(data: Path) -> None:
    with contextlib.closing(DataFolder(data)) as folder, EmbeddedServers(folder, postgres=False) as servers:
        servers.ready()
        assert servers._redis is not None
        servers._redis.is_lost = True


def test_a_process_whose_store_is_lost_exits_with_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An orderly end, with one line that names the server and its log."""
    monkeypatch.setattr("redcore_server.embedded._end_process", lambda: None)
    before = descendants(os.getpid())
    message = rf"the embedded Redis ended {MOST_ENDS} times .*redis\.log"
    with pytest.raises(EmbeddedServerLost, match=message) as caught:
        _lose(tmp_path)

    assert caught.value.exit_code == 1
    assert descendants(os.getpid()) <= before


def _postgres(data: Path) -> set[int]:
    """Return the postmaster of a data folder; None while the file that names it is being replaced."""
    with contextlib.suppress(OSError, IndexError):
        return {postmaster(data)}
    return set()


def _redis(pid: int) -> set[int]:
    """Return the Redis below a process."""
    with contextlib.suppress(OSError):
        return {each for each in descendants(pid) if Path(f"/proc/{each}/comm").read_text().strip() == "redis-server"}
    return set()


@pytest.mark.parametrize("server", ["PostgreSQL", "Redis"])
def test_five_kills_within_a_minute_end_the_process(tmp_path: Path, server: str) -> None:
    """With code 1, one line that says why, and nothing left behind."""
    command = [sys.executable, "-m", "redcore_server", "stores", "--data", str(tmp_path)]
    killed: set[int] = set()

    def found() -> set[int]:
        running = _postgres(tmp_path) if server == "PostgreSQL" else _redis(process.pid)
        return alive(running - killed)

    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,  # noqa: S603
        contextlib.ExitStack() as stack,
    ):
        stack.callback(process.kill)  # a failure must not wait for an end that does not come
        assert process.stdout is not None
        assert process.stdout.readline() == "ready stores\n"
        started = descendants(process.pid)
        for _ in range(MOST_ENDS):
            assert eventually(lambda: bool(found()))
            (pid,) = found()
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        _, said = process.communicate(timeout=120)

    assert process.returncode == 1
    *log, last = said.splitlines()
    assert last.startswith(f"redcore-server: the embedded {server} ended {MOST_ENDS} times within 60 s (see ")
    assert "Traceback" not in said
    assert sum(f"the embedded {server} ended with code -9" in line for line in log) == MOST_ENDS
    assert not alive(started)
