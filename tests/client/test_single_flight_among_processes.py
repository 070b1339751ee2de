"""Processes that share a cache refresh a token once, even if the refreshing process is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.client.loopback import Loopback
from tests.client.test_single_flight_over_the_wire import Rotating

from redcore._call.token_store import session_in
from redcore.tokens import MemoryCache

PROGRAM = Path(__file__).with_name("renewing_processes.py")
PROCESSES = 8
TIMEOUT_S = 60


@pytest.fixture
def rotating(server: Loopback) -> Loopback:
    server.answer = Rotating()
    return server


@pytest.fixture
def cache(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return Python code that makes the cache."""
    if request.param == "file":
        return f"tokens.FileCache({str(tmp_path / 'tokens.json')!r}, strict=True)"
    if request.param == "keyring":
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring_in_files.FileKeyring")
        monkeypatch.setenv("TEST_KEYRING", str(tmp_path))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        return "tokens.KeyringCache(strict=True)"
    url = request.getfixturevalue("redis_url" if request.param == "redis" else "redis_cluster_url")
    key = Fernet.generate_key()
    return f"tokens.RedisCache({url!r}, encryption_key={key!r}, prefix='{tmp_path}:', strict=True)"


def arguments(cache: str, server: Loopback, how: str, number: int) -> list[str]:
    """Return the command line of the program."""
    return [sys.executable, str(PROGRAM), cache, server.base_url, how, str(number), str(PROCESSES)]


@contextmanager
def holder(cache: str, server: Loopback) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds the lock."""
    command = arguments(cache, server, "hold", 1)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:  # noqa: S603 (our own program)
        try:
            assert started.stdout is not None
            assert started.stdout.readline() == "ready\n", started.stderr and started.stderr.read()
            yield started
        finally:
            started.kill()


def all_at_once(cache: str, server: Loopback, how: str, number: int) -> list[str]:
    """Let eight processes start together; return the access tokens that `on_token_refreshed` got in them."""
    command = arguments(cache, server, how, number)
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT_S)  # noqa: S603 (our own program)
    assert (ended.returncode, ended.stderr) == (0, "")
    access_tokens: list[str] = json.loads(ended.stdout)
    return access_tokens


@pytest.mark.parametrize(
    ("cache", "how", "number"),
    [
        ("file", "threads", 16),
        ("file", "tasks", 100),
        ("keyring", "threads", 16),
        ("redis", "threads", 16),
        ("redis", "tasks", 100),
        ("redis cluster", "tasks", 100),
    ],
    indirect=["cache"],
)
def test_one_process_refreshes_for_all(rotating: Loopback, cache: str, how: str, number: int) -> None:
    """One `POST /oauth/token`, one call of `on_token_refreshed`, no call that fails."""
    access_tokens = all_at_once(cache, rotating, how, number)

    assert len(rotating.asked("/oauth/token")) == 1
    assert access_tokens == ["access-2"]
    assert len(rotating.asked("/v1/users/usr_1")) == PROCESSES * number


@pytest.mark.parametrize("cache", ["file", "keyring", "redis"], indirect=True)
def test_a_killed_holder_blocks_no_process(rotating: Loopback, cache: str) -> None:
    """The system releases its lock, or Redis does when its lease of 2 s expires; then the others refresh once."""
    with holder(cache, rotating) as process:
        process.kill()  # SIGKILL
        process.wait()

        access_tokens = all_at_once(cache, rotating, "threads", 2)

    assert len(rotating.asked("/oauth/token")) == 1
    assert access_tokens == ["access-2"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_does_not_inherit_a_held_lock() -> None:
    """After a fork the holder does not exist in the child: the lock is free there, and still held in the parent."""
    cache = MemoryCache()
    _, session = session_in(cache, "key")
    session.lock.acquire()

    child = os.fork()
    if child == 0:  # the child reports by its exit code, and runs nothing of pytest
        os._exit(0 if session.lock.acquire(0.0) and session_in(cache, "key")[1] is session else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert not session.lock.acquire(0.0)
