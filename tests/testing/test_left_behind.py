"""Nothing remains of a server whose test run has ended, however and whenever that happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.testing.left_behind import leftovers

GONE_WITHIN_S = 30.0  # on a busy machine; a second on a quiet one
LONGEST_S = 6.0  # a start, and some of the tests
RUN = """
import sys, time
from redcore.testing import ReferenceServer
server = ReferenceServer()
server.start()
print("ready", flush=True)
time.sleep(600)
"""
SUITE = """
import time
import pytest

@pytest.mark.parametrize("number", range(600))
def test_it(redcore_client, number):
    redcore_client.users.create(email="ada@example.com", name="Ada")

def test_the_last_one_waits_to_be_killed():
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_and_its_folder_go_with_the_run_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    """Also if the run had no time to stop it."""
    command = [sys.executable, "-c", RUN]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as run:  # noqa: S603 (ours)
        assert run.stdout is not None
        run.stdout.readline()
        assert leftovers(tmp_path)
        run.send_signal(how)

    assert left_in_the_end(tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one-process", "workers"])
@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_left_of_a_pytest_that_is_killed_at_any_moment(
    tmp_path: Path, seed: int, options: list[str]
) -> None:
    """While it starts, while the server starts, in a test, and whether workers share the server."""
    (tmp_path / "test_it.py").write_text(SUITE)
    moment_s = random.Random(f"{seed}{options}").uniform(0, LONGEST_S)  # noqa: S311 (no secret)
    command = [sys.executable, "-m", "pytest", "-q", "--redcore=server", *options, "test_it.py"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(  # noqa: S603 (ours)
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    ) as run:
        time.sleep(moment_s)
        assert run.poll() is None
        run.kill()

    assert left_in_the_end(tmp_path) == []


def left_in_the_end(temporary: Path) -> list[str]:
    """Return what remains of a run that has ended, at once or soon."""
    ends_at = time.monotonic() + GONE_WITHIN_S
    while (left := leftovers(temporary)) and time.monotonic() < ends_at:
        time.sleep(0.05)
    return left
