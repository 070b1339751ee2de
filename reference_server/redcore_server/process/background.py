"""A server in its own process: `up --detach` and `run` start it and wait for it; `wait` only waits."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, BinaryIO

import attrs

from redcore_server.data_folder import DataFolderError, DataFolderInUse, is_in_use, ready_runtime
from redcore_server.process import watcher
from redcore_server.process.seed_credentials import credentials_file, read_credentials, variables
from redcore_server.settings import OperatorError

_POLL_S = 0.02  # less than a person notices
_STOP_WITHIN_S = 60.0  # longer than a drain with the default settings
_LOG_LINES = 10  # the last ones say why a start failed


class ServerNotReady(OperatorError):  # noqa: N818 - reads as the state it reports
    """The server exited or did not answer in time."""


@attrs.frozen
class Background:
    """A server that answers requests.

    Attributes:
        process: Its process.
        data: Its data folder.
        log: File of its output.
    """

    process: subprocess.Popen[bytes]
    data: Path
    log: Path

    def stop(self) -> None:
        """Stop it with SIGTERM; kill it if that takes too long."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def wait_until_ready(data: Path, within_s: float) -> str:
    """Wait until the server of a data folder answers; return its base URL.

    Args:
        data: The folder; it need not exist yet.
        within_s: Seconds to wait.

    Raises:
        ServerNotReady: The server did not answer in time.
    """
    deadline = time.monotonic() + within_s
    while (base_url := _base_url(data)) is None:
        if time.monotonic() > deadline:
            raise ServerNotReady(f"no server is ready on {data} after {within_s:g} s")
        time.sleep(_POLL_S)
    return base_url


def start(
    arguments: Sequence[str], data: Path, within_s: float, *, ends_with_us: bool = False, is_disposable: bool = False
) -> Background:
    """Start `redcore-server up` in its own session and return once it answers.

    Args:
        arguments: Arguments of `up`, including the data folder.
        data: The same data folder.
        within_s: Seconds to wait for it.
        ends_with_us: Whether it stops when this process exits, even if that is killed.
        is_disposable: Whether the data folder is deleted then.

    Raises:
        ServerNotReady: It exited or did not answer in time; the message quotes its output.
        DataFolderInUse: Another server uses the folder.
    """
    if _base_url(data) is not None:
        raise DataFolderInUse(f"another redcore-server is running on the data folder {data}")
    log = data / "up.log"
    watching = _watch(data, is_disposable=is_disposable) if ends_with_us else None
    with _opened(log) as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "redcore_server", "up", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    if watching is not None:
        watching.write(str(process.pid).encode())
        watching.close()
    server = Background(process, data, log)
    deadline = time.monotonic() + within_s
    while _base_url(data) is None:
        if process.poll() is not None:
            raise ServerNotReady(f"the server ended with code {process.returncode}: {_last_lines(log)}")
        if time.monotonic() > deadline:
            server.stop()
            raise ServerNotReady(f"the server was not ready after {within_s:g} s: {_last_lines(log)}")
        time.sleep(_POLL_S)
    return server


def stop(data: Path, within_s: float = _STOP_WITHIN_S) -> int:
    """Stop the server of a data folder and wait for its end; return the id of its process.

    Args:
        data: The folder.
        within_s: Seconds to wait for the end.

    Raises:
        ServerNotReady: No server is ready on the folder, or it did not end in time.
        OperatorError: The server belongs to another user.
    """
    runtime = ready_runtime(data)
    if runtime is None or runtime.pid is None:
        raise ServerNotReady(f"no server is running on the data folder {data}")
    try:
        os.kill(runtime.pid, signal.SIGTERM)  # it holds the folder's lock, so the id is not another process's
    except PermissionError:
        raise OperatorError(f"the server on {data} is process {runtime.pid} of another user") from None
    deadline = time.monotonic() + within_s
    while is_in_use(data):
        if time.monotonic() > deadline:
            raise ServerNotReady(f"process {runtime.pid} has not ended after {within_s:g} s")
        time.sleep(_POLL_S)
    return runtime.pid


def run_command(command: Sequence[str], arguments: Sequence[str], data: Path | None, within_s: float) -> int:
    """Start a server, run a command against it, stop the server; return the command's exit code.

    The command finds `REDCORE_BASE_URL` and the credentials of the first organisation in its environment.

    Args:
        command: The command and its arguments.
        arguments: Arguments of `up`, without the data folder.
        data: The folder to run on; None means a new one that is deleted at the end.
        within_s: Seconds to wait for the server.

    Raises:
        ServerNotReady: See `start`.
        OperatorError: The command cannot be run.
    """
    with _folder(data) as folder:
        words = [*arguments, "--data", str(folder)]
        server = start(words, folder, within_s, ends_with_us=True, is_disposable=data is None)
        try:
            return _run(command, {**os.environ, **_variables(folder)})
        finally:
            server.stop()


def _watch(data: Path, *, is_disposable: bool) -> IO[bytes]:
    """Start the process that ends the server with this one; return where it reads the server's process id."""
    command = [sys.executable, "-P", "-m", watcher.__name__, str(os.getpid()), str(data)]
    watching = subprocess.Popen(  # noqa: S603 - our own command
        [*command, str(data)] if is_disposable else command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert watching.stdin is not None  # noqa: S101 - it is a pipe
    return watching.stdin


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - the operator's own command
    except OSError as error:
        raise OperatorError(f"cannot run {command[0]}: {error.strerror}") from error
    with _passed_on(process):
        code = process.wait()
    return code if code >= 0 else 128 - code  # shells report a signal this way


@contextlib.contextmanager
def _passed_on(process: subprocess.Popen[bytes]) -> Generator[None]:
    """Forward SIGTERM to the command. Ctrl-C reaches it directly, so only wait for it to exit."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        process.terminate()

    def ignore(_signal: int, _frame: FrameType | None) -> None:
        """Ignore it: the command is interrupted too, and decides."""

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, end),
        signal.SIGINT: signal.signal(signal.SIGINT, ignore),
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _variables(data: Path) -> dict[str, str]:
    credentials = read_credentials(data)
    base_url = _base_url(data)
    if credentials is None or base_url is None:
        raise ServerNotReady(f"the credentials of the server are not in {credentials_file(data)}")
    return variables(credentials, base_url)


def _base_url(data: Path) -> str | None:
    runtime = ready_runtime(data)
    return runtime.base_url if runtime else None


@contextlib.contextmanager
def _folder(data: Path | None) -> Generator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix=watcher.PREFIX) as folder:
        yield Path(folder)


def _opened(log: Path) -> BinaryIO:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("wb")
    except OSError as error:
        raise DataFolderError(
            f"cannot write to the data folder {log.parent}: {error.strerror}; name another with --data"
        ) from error


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "; ".join(lines[-_LOG_LINES:]) or "it printed nothing"
