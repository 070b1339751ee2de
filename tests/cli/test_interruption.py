"""Ctrl-C at each question and during all long operations: exit code 130, how to continue, nothing half done."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from tests.cli.conftest import Run

from redcore import Client
from redcore._resources.files import Files
from redcore._resources.workflows import Workflows
from redcore.cli.terminal import Terminal
from redcore.testing import ReferenceServer


def interrupted(*_: Any, **__: Any) -> Any:
    """What is under way when a person presses Ctrl-C."""
    raise KeyboardInterrupt


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], None]:
    """Interrupts the call of a method."""
    return lambda owner, name: monkeypatch.setattr(owner, name, interrupted)


Interrupt = Callable[[object, str], None]


def test_an_interrupted_upload_lists_the_stored_files(cli: Run, tmp_path: Path, interrupt: Interrupt) -> None:
    """The file under way leaves nothing behind."""
    file = tmp_path / "a.txt"
    file.write_text("x")
    interrupt(Files, "upload")
    outcome = cli("files", "upload", str(file), str(file))

    assert outcome.code == 130
    assert f"Interrupted. {file} was not stored; 0 of 2 files were." in outcome.err


def test_a_download_resumes_with_the_same_command(cli: Run, tmp_path: Path, interrupt: Interrupt) -> None:
    """No file has the final name before it is complete."""
    file = cli("files", "upload", "-", "--name", "t.txt", "--json", "id", stdin="new").json[0]["id"]
    interrupt(Files, "download")
    outcome = cli("files", "download", file, "--to", str(tmp_path / "t.txt"))

    assert (outcome.code, "the same command goes on" in outcome.err) == (130, True)
    assert not (tmp_path / "t.txt").exists()


@pytest.mark.parametrize(
    ("owner", "method", "expected"),
    [
        (Files, "upload", "Nothing was imported"),
        (Workflows, "wait", "The run goes on. Watch it: redcore runs watch wfr_"),
    ],
)
def test_an_import_says_whether_its_run_continues(
    cli: Run, interrupt: Interrupt, owner: object, method: str, expected: str
) -> None:
    """Before the run starts nothing is imported; a started run continues at the platform."""
    interrupt(owner, method)
    outcome = cli("products", "import", "-", stdin="sku,name,price,stock\n")

    assert (outcome.code, expected in outcome.err) == (130, True)


def test_an_export_says_how_to_fetch_its_file(cli: Run, tmp_path: Path, interrupt: Interrupt) -> None:
    """The run need not be repeated."""
    interrupt(Files, "download")
    outcome = cli("products", "export", "--to", str(tmp_path / "c.csv"))

    assert (outcome.code, "redcore files download file_" in outcome.err) == (130, True)


def test_publishing_says_that_nothing_was_published(cli: Run, tmp_path: Path, interrupt: Interrupt) -> None:
    """The old pages stay."""
    (tmp_path / "index.html").touch()
    interrupt(Files, "upload")
    outcome = cli("docs", "publish", str(tmp_path))

    assert (outcome.code, "Nothing was published" in outcome.err) == (130, True)


@pytest.mark.parametrize(("way", "method"), [("--device", "on_device"), (None, "in_browser")])
def test_an_interrupted_login_stores_nothing(
    run_cli: Run, monkeypatch: pytest.MonkeyPatch, config_dir: Path, way: str | None, method: str
) -> None:
    """Neither settings nor a secret."""
    monkeypatch.setattr(f"redcore.cli.login_ways.{method}", interrupted)
    outcome = run_cli("auth", "login", *([way] if way else []), "--client-id", "app_1")

    assert (outcome.code, "You are not logged in" in outcome.err) == (130, True)
    assert not (config_dir / "config.toml").exists()


@pytest.mark.parametrize(
    ("answer", "code", "expected"), [(click.Abort(), 130, "Nothing was done."), (False, 1, "you did not agree")]
)
def test_an_unconfirmed_action_is_not_done(
    cli: Run, monkeypatch: pytest.MonkeyPatch, answer: object, code: int, expected: str
) -> None:
    """A no is a refusal; Ctrl-C is an interruption."""

    def confirm(*_: Any, **__: Any) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Terminal, "interactive", property(lambda _: True))
    monkeypatch.setattr("click.confirm", confirm)
    monkeypatch.setattr("redcore.cli.state.State.client", interrupted)  # no call is made
    outcome = cli("users", "delete", "usr_1")

    assert (outcome.code, expected in outcome.err) == (code, True)


@contextlib.contextmanager
def asked_in_a_terminal(on_interrupt: Any) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a command line that asks in a terminal of its own; it inherits what its parent does about Ctrl-C.

    Args:
        on_interrupt: `signal.SIG_IGN` for a parent that ignores Ctrl-C; the child of another one starts with the
            system's default, whatever the process that runs the tests inherited.
    """
    environment = {**os.environ, "REDCORE_API_KEY": "rk_test_" + "k3" * 20}
    words = [sys.executable, "-m", "redcore.cli", "users", "delete", "usr_1"]
    terminal, end = pty.openpty()
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        process = subprocess.Popen(words, env=environment, stdin=end, stdout=end, stderr=end)  # noqa: S603 (our own)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        until_shown(terminal, b"[y/N]")
        yield process, terminal
    os.close(end)
    os.close(terminal)


def until_shown(terminal: int, expected: bytes) -> None:
    """Read the output of a command line until it contains this."""
    shown = b""
    while expected not in shown:
        shown += os.read(terminal, 1024)


def test_ctrl_c_at_a_question_of_a_real_terminal(config_dir: Path) -> None:
    """The process exits by itself, with a message."""
    with asked_in_a_terminal(signal.default_int_handler) as (process, terminal):
        while process.poll() is None:  # a signal between the question and the wait for its answer interrupts neither
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        until_shown(terminal, b"Interrupted. Nothing was done.")

    assert process.returncode == 130


def test_an_interrupt_that_the_parent_ignores_is_ignored(config_dir: Path) -> None:
    """Shells start background commands so, and programs started by them must survive their Ctrl-C (POSIX, 2.11)."""
    with asked_in_a_terminal(signal.SIG_IGN) as (process, terminal):
        process.send_signal(signal.SIGINT)
        os.write(terminal, b"n\n")
        until_shown(terminal, b"you did not agree")

    assert process.returncode == 1


def test_a_run_is_watched_until_ctrl_c(cli: Run, redcore_server: ReferenceServer, interrupt: Interrupt) -> None:
    """The run itself continues."""
    with Client(**redcore_server.api_key) as admin:
        run = admin.workflows.run("catalog_export", input={})
        interrupt(Workflows, "wait")
        outcome = cli("runs", "watch", run.id)

        assert (outcome.code, f"redcore runs cancel {run.id}" in outcome.err) == (130, True)
        assert admin.workflows.get_run(run.id).status != "cancelled"
