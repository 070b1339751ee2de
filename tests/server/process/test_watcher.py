"""The process that ends a server after its owner; `tests/testing/test_left_behind.py` tests it at work."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from redcore_server.process import watcher


def test_folders_of_earlier_servers_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not new ones, not those of others, not those that a server uses, at the top or one folder below."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    old, young, used, shared = (tmp_path / f"redcore-server-{name}" for name in ("old", "young", "used", "shared"))
    other = tmp_path / "other"
    (shared / "data").mkdir(parents=True)
    for folder in (old, young, used, other):
        folder.mkdir()
    with (used / "up.lock").open("wb") as one, (shared / "data" / "up.lock").open("wb") as two:
        for lock in (one, two):
            fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in (old, used, shared, other):
            os.utime(folder, (0, 0))

        watcher.sweep()

    assert {folder.name for folder in tmp_path.iterdir()} == {
        "other",
        "redcore-server-shared",
        "redcore-server-used",
        "redcore-server-young",
    }


def test_the_end_of_another_process_is_awaited() -> None:
    """Also when it is not a child, or has ended before."""
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    program = f"from redcore_server.process.watcher import await_end; await_end({owner.pid}); print('ended')"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as watching:  # noqa: S603 - our own
        owner.communicate(b"\n")
        assert watching.communicate()[0] == b"ended\n"

    watcher.await_end(owner.pid)


def test_another_process_with_the_id_of_a_server_is_not_taken_for_it(tmp_path: Path) -> None:
    """Its command line does not have the folder."""
    assert not watcher.is_server(os.getpid(), tmp_path)


@pytest.mark.parametrize(("written", "read"), [(b"4711", 4711), (b"", None)])
def test_an_owner_that_is_killed_before_the_server_starts_leaves_no_process_id(
    written: bytes, read: int | None
) -> None:
    """The watcher does not wait for one, not even if a child of the owner keeps the pipe open."""
    reading, writing = os.pipe()
    os.write(writing, written)

    assert watcher.process_id(reading) == read

    os.close(writing)
    os.close(reading)
