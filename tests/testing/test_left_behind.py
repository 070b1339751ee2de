"""Nothing is left of a server whose test run is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from redcore.testing import watcher

GONE_WITHIN_S = 30.0  # on a busy machine; a second on a quiet one
RUN = """
import sys, time
from redcore.testing import ReferenceServer
server = ReferenceServer()
server.start()
print(server.pid, server.data, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_and_its_folder_go_with_the_run_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    """Also when that had no time to stop it."""
    command = [sys.executable, "-c", RUN]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as run:  # noqa: S603 (ours)
        assert run.stdout is not None
        pid, data = run.stdout.readline().split()
        run.send_signal(how)

    assert is_gone(int(pid), Path(data))


def test_leftovers_of_earlier_runs_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not what somebody has just made, nor what is not ours."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    old, young, other = (tmp_path / name for name in ("redcore-server-old", "redcore-server-young", "other"))
    for folder in (old, young, other):
        folder.mkdir()
    for folder in (old, other):
        os.utime(folder, (0, 0))

    watcher.sweep()

    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["other", "redcore-server-young"]


def is_gone(pid: int, data: Path) -> bool:
    """Whether process and folder are gone, at once or soon."""
    ends_at = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < ends_at:
        if not data.exists() and not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False
