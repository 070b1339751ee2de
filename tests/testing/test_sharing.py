"""Workers of a parallel test run share one server, and see nothing of each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.testing.left_behind import leftovers

from redcore.exceptions import ReferenceServerError
from redcore.testing.sharing import SharedServer

SUITE = """
import pytest
from pathlib import Path
from redcore.testing import Fault

@pytest.mark.parametrize("number", range(4))
def test_it(redcore_server, redcore_client, redcore_faults, redcore_clock, number):
    assert redcore_client.users.list().meta.total == 1
    redcore_client.users.create(email="ada@example.com", name="Ada")
    redcore_faults("GET", "/v1/me", Fault(status=503, retry_after=0))
    redcore_clock(4000)
    assert redcore_client.users.get_me().email == "admin@example.com"
    with Path("seen").open("a") as seen:
        seen.write(f"{redcore_server.pid} {redcore_server.origin}\\n")
"""

WORKER = """
import os, sys, threading, time
from pathlib import Path
from redcore.testing.sharing import end_with
threading.Thread(target=end_with, args=(os.getppid(), Path(sys.argv[1]))).start()
print("ready", flush=True)
time.sleep(600)
"""
CONTROLLER = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"


def test_workers_share_one_process_with_a_platform_each(tmp_path: Path) -> None:
    """Data, faults and clock are separate; nothing remains at the end."""
    (tmp_path / "test_it.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "each", "--redcore=server", "test_it.py"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 (ours)

    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    assert "8 passed" in done.stdout, done.stdout
    assert [len({each[at] for each in seen}) for at in (0, 1)] == [1, 2]
    assert [left for left in leftovers(tmp_path) if left.startswith("/")] == []


def test_a_worker_cannot_end_the_server_of_all(tmp_path: Path) -> None:
    """The error says what to use instead."""
    server = SharedServer(1, "http://127.0.0.1:1", tmp_path, tmp_path / "server.log")

    for use in (server.start, server.stop, server.kill):
        with pytest.raises(ReferenceServerError, match=r"a ReferenceServer of the test's own"):
            use()


def test_a_worker_ends_with_its_controller(tmp_path: Path) -> None:
    """Even in the middle of a test, and it deletes the folder of the run."""
    run = tmp_path / "run"
    run.mkdir()
    command = [sys.executable, "-c", CONTROLLER, "-c", WORKER, str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as controller:  # noqa: S603 (ours)
        assert controller.stdout is not None
        assert controller.stdout.readline() == b"ready\n"

        controller.kill()

        assert controller.stdout.read() == b""  # at the end of the worker, which holds the other end of the pipe
    assert not run.exists()
