"""Processes that share a cache renew a token once, whatever becomes of the one that is at it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.client.loopback import Loopback
from tests.client.test_single_flight_over_the_wire import Rotating

PROGRAM = Path(__file__).with_name("renewing_process.py")
PROCESSES = 8
PATIENCE_S = 60


@pytest.fixture
def rotating(server: Loopback) -> Loopback:
    server.answer = Rotating()
    return server


@contextmanager
def process(cache: str, server: Loopback, how: str, number: int) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready to begin."""
    arguments = [sys.executable, str(PROGRAM), cache, server.base_url, how, str(number)]
    started = subprocess.Popen(  # noqa: S603 (our own program)
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with started:
        try:
            assert started.stdout is not None
            assert started.stdout.readline() == "ready\n", started.stderr and started.stderr.read()
            yield started
        finally:
            started.kill()


def all_at_once(cache: str, server: Loopback, how: str, number: int) -> list[str]:
    """Let eight processes begin together; the access tokens that their applications were told of."""
    with ExitStack() as stack:
        running = [stack.enter_context(process(cache, server, how, number)) for _ in range(PROCESSES)]
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        ended = [(one.communicate(timeout=PATIENCE_S), one.returncode) for one in running]
    assert [(code, errors) for (_, errors), code in ended if code != 0] == []
    return [token for (told, _), _ in ended for token in json.loads(told)]


@pytest.mark.parametrize(("how", "number"), [("threads", 16), ("tasks", 100)])
def test_one_renews_for_all(rotating: Loopback, tmp_path: Path, how: str, number: int) -> None:
    """One `POST /oauth/token`, one application told, no call that fails."""
    told = all_at_once(f"tokens.FileCache({str(tmp_path / 'tokens.json')!r}, strict=True)", rotating, how, number)

    assert len(rotating.asked("/oauth/token")) == 1
    assert told == ["access-2"]
    assert len(rotating.asked("/v1/users/usr_1")) == PROCESSES * number


def test_a_killed_holder_blocks_nobody(rotating: Loopback, tmp_path: Path) -> None:
    """The system frees its lock with it, and the others renew as if it had never been."""
    cache = f"tokens.FileCache({str(tmp_path / 'tokens.json')!r}, strict=True)"
    with process(cache, rotating, "hold", 1) as holder:
        holder.kill()  # SIGKILL
        holder.wait()

        told = all_at_once(cache, rotating, "threads", 2)

    assert len(rotating.asked("/oauth/token")) == 1
    assert told == ["access-2"]
