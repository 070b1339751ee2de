"""The command as a process whose streams are closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from redcore import Client
from redcore.testing import Lab, ReferenceServer

FULL = Path("/dev/full")


@pytest.fixture
def environment(redcore_server: ReferenceServer, redcore_lab: Lab, config_dir: Path) -> dict[str, str]:
    """The seeded API key, and a separate configuration."""
    return {**os.environ, **redcore_server.environment}


def shell(line: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one line of a shell, in which `redcore` is the command."""
    command = line.replace("redcore", f"{sys.executable} -m redcore.cli", 1)
    return subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (its own lines)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["--version", "users --help", "users list", "users list --output csv"])
def test_a_full_disk_is_one_line_and_exit_code_1(words: str, environment: dict[str, str]) -> None:
    """No traceback, also when the last bytes are flushed."""
    done = shell(f"redcore {words} > /dev/full", environment)

    assert (done.returncode, done.stderr) == (1, "redcore: stdout: No space left on device\n")


@pytest.mark.parametrize(
    ("line", "code", "expected"),
    [
        ("redcore users delete usr_1 <&-", 2, "add --yes"),
        ("redcore auth login --api-key <&-", 2, "no API key on stdin"),
        ("redcore users create --input - <&-", 2, "stdin is not JSON"),
        ("redcore users list >&-", 0, ""),
        ("redcore users get usr_none 2>&-", 3, ""),
    ],
)
def test_closed_streams_count_as_empty(line: str, code: int, expected: str, environment: dict[str, str]) -> None:
    """No socket takes the place of a closed stream."""
    done = shell(line, environment)

    assert (done.returncode, "Traceback" in done.stderr, expected in done.stderr) == (code, False, True)


@pytest.mark.parametrize(
    "words", ["users list", "users list --output json", "users list --output jsonl", "users --help"]
)
def test_a_closed_pipe_is_not_a_failure(words: str, environment: dict[str, str]) -> None:
    """As with `| head`: exit code 0, and no message."""
    done = shell(f"(redcore {words}; echo code $? >&2) | true", environment)

    assert done.stderr == "code 0\n"


@pytest.mark.parametrize("words", ["users list --output csv", "users list", "users list --jq .[].name"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_is_utf_8_whatever_the_locale(
    words: str, encoding: str, environment: dict[str, str], redcore_server: ReferenceServer
) -> None:
    """A name in any script reaches a pipe or a file unchanged."""
    with Client(**redcore_server.api_key) as admin:
        admin.users.create(email="jp@example.com", name="日本")
    done = shell(f"redcore {words}", {**environment, "PYTHONIOENCODING": encoding})

    assert (done.returncode, "日本" in done.stdout) == (0, True)
