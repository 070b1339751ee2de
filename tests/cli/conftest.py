"""Runs command lines in this process, with a separate configuration, and captures their output."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from redcore.cli.app import run
from redcore.testing import Lab, ReferenceServer


@attrs.frozen
class Outcome:
    """The result of a command line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, decoded."""
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def config_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration folder, and a keyring that stores nothing."""
    folder = tmp_path / "config"
    monkeypatch.setenv("REDCORE_CONFIG_DIR", str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("COLUMNS", "80")  # help is broken to the width of the terminal that the tests run in
    return folder


@pytest.fixture
def run_cli(config_dir: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command line."""

    def run_one(*arguments: str, stdin: str | bytes = "") -> Outcome:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        capfd.readouterr()
        try:
            code = run(arguments)
        except SystemExit as leaving:  # click exits so after it has answered a shell
            code = int(leaving.code or 0)
        sys.stdout.flush()
        printed = capfd.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run_one


@pytest.fixture
def cli(run_cli: Run, redcore_server: ReferenceServer, redcore_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run command lines with the seeded API key in the environment, on fresh data."""
    for name in ("REDCORE_BASE_URL", "REDCORE_API_KEY"):
        monkeypatch.setenv(name, redcore_server.environment[name])
    return run_cli
