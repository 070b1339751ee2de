"""The reader's situation: an empty folder, and `REDCORE_*` set as `redcore-server run` sets it."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from redcore.testing import ReferenceServer


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Restore the level of the SDK's logger, which pages set in the process of the tests."""
    logger = logging.getLogger("redcore")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.fixture
def reader(redcore_server: ReferenceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a reader tries a page; the server has its initial data."""
    redcore_server.lab.reset()
    variables = redcore_server.environment
    stores = json.loads((redcore_server.data / "runtime.json").read_text(encoding="utf-8"))
    for name in ("REDCORE_BASE_URL", "REDCORE_API_KEY", "REDCORE_CLIENT_ID", "REDCORE_CLIENT_SECRET"):
        monkeypatch.setenv(name, variables[name])
    redis_url = (
        f"redis://:{stores['redis_password']}@127.0.0.1:{stores['redis_port']}/255"  # one that the server leaves alone
    )
    with redis.Redis.from_url(redis_url) as spare:
        spare.flushdb()
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("COLUMNS", "88")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
