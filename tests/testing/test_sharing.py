"""Workers of a parallel test run share one server, and see nothing of each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.testing.test_left_behind import leftovers

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


def test_workers_share_one_process_with_a_platform_each(tmp_path: Path) -> None:
    """Data, faults and clock of one are not those of the other; nothing is left at the end."""
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
