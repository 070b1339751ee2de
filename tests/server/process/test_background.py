"""Commands that need a server: they wait for one that is starting, or start one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.server.support.processes import eventually

from redcore_server.data_folder import DataFolder, DataFolderInUse, held_or_ready, ready_runtime
from redcore_server.settings import Settings, misspelt, overview

COMMAND = [sys.executable, "-m", "redcore_server"]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    variables = {**os.environ, **environment}
    return subprocess.run(  # noqa: S603 - our own
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=90, env=variables
    )


def test_commands_pasted_at_once_work(tmp_path: Path) -> None:
    """`redcore-server up & eval "$(redcore-server seed)"`: whichever is faster, both succeed."""
    script = '"$1" -m redcore_server up --port 0 --data "$2" & eval "$("$1" -m redcore_server seed --data "$2")"; '
    script += 'echo "rc=$? $REDCORE_API_KEY"; "$1" -m redcore_server wait --data "$2"; kill $!; wait $!; echo "up=$?"'
    done = subprocess.run(  # noqa: S603 - our own
        ["/bin/bash", "-c", script, "bash", sys.executable, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert "rc=0 rk_test_" in done.stdout
    assert "up=0" in done.stdout


def test_run_gives_a_command_a_server_and_passes_its_exit_code_on() -> None:
    """The command finds address and credentials; the server ends with it."""
    program = (
        "import os, urllib.request as r, sys\n"
        "url = os.environ['REDCORE_BASE_URL']\n"
        "q = r.Request(url + '/me', headers={'Authorization': 'Bearer ' + os.environ['REDCORE_API_KEY']})\n"
        "print(r.urlopen(q).status, url)\n"
        "sys.exit(7)\n"
    )
    done = command("run", "--", sys.executable, "-c", program)

    status, url = done.stdout.split()
    assert (done.returncode, status) == (7, "200")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/me")


def test_the_server_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    """The folder is free for the next one."""
    words = [*COMMAND, "run", "--data", str(tmp_path), "--", sys.executable, "-c", "import os; os.read(0, 1)"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as run:  # noqa: S603 - our own
        assert eventually(lambda: ready_runtime(tmp_path) is not None)
        run.kill()

    assert eventually(lambda: ready_runtime(tmp_path) is None)


def test_a_detached_server_answers_when_the_command_returns(tmp_path: Path) -> None:
    """It prints what `up` prints, and how to stop it: `stop` returns when it has ended."""
    done = command("up", "--detach", "--port", "0", "--data", str(tmp_path))
    try:
        assert f"redcore-server stop --data {tmp_path}" in done.stdout
        origin = done.stdout.splitlines()[-1].removeprefix("ready ")
        assert httpx.get(f"{origin}/healthz").status_code == 200
        assert command("wait", "--data", str(tmp_path)).stdout == f"{origin}/v1\n"
        again = command("up", "--detach", "--port", "0", "--data", str(tmp_path))
        assert (again.returncode, again.stdout) == (2, "")
        assert "another redcore-server is running" in again.stderr
    finally:
        stopped = command("stop", "--data", str(tmp_path))
    assert (stopped.returncode, ready_runtime(tmp_path)) == (0, None)
    assert stopped.stderr.split()[-1].removesuffix(".") == done.stderr.split()[3]


def test_stopping_without_a_server_is_one_line_and_code_2(tmp_path: Path) -> None:
    """The line names the folder: the server may be on another one."""
    done = command("stop", "--data", str(tmp_path))

    assert (done.returncode, done.stderr) == (
        2,
        f"redcore-server: no server is running on the data folder {tmp_path}\n",
    )


def test_a_server_that_cannot_start_is_one_line_and_code_2(tmp_path: Path) -> None:
    """With the reason from its own output."""
    (tmp_path / "runtime.json").write_text("{")

    done = command("up", "--detach", "--port", "0", "--data", str(tmp_path))

    assert done.returncode == 2
    assert "the server ended with code 2" in done.stderr
    assert "runtime.json is damaged" in done.stderr


def test_a_log_that_cannot_be_written_is_one_line_and_code_2(tmp_path: Path) -> None:
    """As on a file system that is mounted read-only."""
    (tmp_path / "up.log").mkdir()

    done = command("up", "--detach", "--port", "0", "--data", str(tmp_path))

    assert (done.returncode, done.stderr) == (
        2,
        f"redcore-server: cannot write to the data folder {tmp_path}: Is a directory; name another with --data\n",
    )


def test_a_timeout_is_one_line_and_code_2(tmp_path: Path) -> None:
    """The command starts nothing."""
    done = command("wait", "--timeout", "0", "--data", str(tmp_path))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"redcore-server: no server is ready on {tmp_path} after 0 s\n"


def test_a_failed_seed_fails_the_eval_of_it(tmp_path: Path) -> None:
    """The shell runs the printed text: `false`."""
    (tmp_path / "file").touch()

    done = command("seed", "--data", str(tmp_path / "file"))

    assert (done.returncode, done.stdout) == (2, "false\n")


def test_a_command_is_waited_for_and_a_server_is_not(tmp_path: Path) -> None:
    """The locks of the folder; commands find a server once it is ready."""
    server = DataFolder(tmp_path)
    server.write_runtime(server.runtime)
    with pytest.raises(DataFolderInUse, match="another redcore-server is running"):
        DataFolder(tmp_path)
    with pytest.raises(DataFolderInUse, match="not ready after 0 s"):
        held_or_ready(tmp_path, within_s=0)
    server.mark_ready()
    assert held_or_ready(tmp_path) == server.runtime
    server.close()
    assert ready_runtime(tmp_path) is None
    held = held_or_ready(tmp_path)
    assert isinstance(held, DataFolder)
    held.close()


def test_the_version_is_the_packages() -> None:
    """As `pip` shows it."""
    assert command("--version").stdout.startswith("redcore-server 0.")


def test_an_unknown_setting_is_named_with_the_nearest() -> None:
    """It is a warning: another version may know it."""
    assert misspelt({"REDCORE_SERVER_DATABSE_URL": "x", "REDCORE_SERVER_PORT": "1", "REDCORE_BASE_URL": "x"}) == [
        "REDCORE_SERVER_DATABSE_URL is not a setting; did you mean REDCORE_SERVER_DATABASE_URL?"
    ]
    assert misspelt({"REDCORE_SERVER_XYZZY": "x"}) == ["REDCORE_SERVER_XYZZY is not a setting"]


@pytest.mark.parametrize(
    "name", ["REDCORE_SERVER_port", "redcore_server_PORT", "REDCORE_SERVERPORT", "REDCORE_SERVER__PORT"]
)
def test_a_setting_in_the_wrong_case_is_unknown(name: str) -> None:
    """It would be ignored."""
    assert misspelt({name: "1"}) == [f"{name} is not a setting; did you mean REDCORE_SERVER_PORT?"]


def test_settings_are_listed_with_their_origin_and_without_secrets() -> None:
    """Each variable once."""
    settings = Settings(database_url="postgresql://u:hunter2@h/d", cors_origins=("https://a", "https://b"))
    rows = {name: (value, origin) for name, value, origin in overview(settings, {"REDCORE_SERVER_DATABASE_URL": "x"})}

    assert rows["REDCORE_SERVER_DATABASE_URL"] == ("…", "environment")
    assert rows["REDCORE_SERVER_CORS_ORIGINS"] == ("https://a,https://b", "default")
    assert rows["REDCORE_SERVER_SMTP_URL"] == ("", "default")
    assert "hunter2" not in str(rows)
