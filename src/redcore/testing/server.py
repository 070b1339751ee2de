"""Starts and stops a reference server in a separate process, with real PostgreSQL and Redis, on loopback."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from redcore.exceptions import ReferenceServerError
from redcore.testing.credentials import ApiKeyArguments, ApplicationArguments
from redcore.testing.lab import Lab

READY = "ready "
PREFIX = "redcore-server-"  # of the folders that the server's watcher sweeps
PROGRAM = (sys.executable, "-P", "-m")  # a module of the tests must not shadow one of the standard library
STOP_S = 15.0  # then it is killed; stopping takes about a second


class ReferenceServer:
    """A running reference server, for a `with` block.

    Example::

        with ReferenceServer() as server, Client(**server.api_key) as client:
            client.users.get_me()

    Args:
        data: Folder for its data; None is a new folder that is deleted at the end.
        port: Port to listen on; 0 is any free one.
        lab: Whether `server.lab` works: faults, the clock, the outbox.
        settings: More of its settings, as `REDCORE_SERVER_…` variables.

    Raises:
        ReferenceServerError: on entering, if it does not start.
    """

    def __init__(
        self, *, data: Path | None = None, port: int = 0, lab: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self._given = data
        self._port = port
        self._with_lab = lab
        self._settings = settings or {}
        self._origin: str | None = None
        self._process: subprocess.Popen[str] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._temporary: Path | None = None
        self._log: IO[str] | None = None

    # Life ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it is ready.

        Raises:
            ReferenceServerError: it exited instead.
        """
        if not find_spec("procrastinate"):  # of what its extra brings, what nothing else does
            raise ReferenceServerError(
                "the reference server needs its extra: pip install 'redcore-sdk[testing,server]'"
            )
        if self._given is None and self._temporary is None:
            self._temporary = Path(tempfile.gettempdir(), f"{PREFIX}{uuid.uuid4().hex}")
        self._watch()  # before there is anything that could be left behind
        try:
            self._launch()
            self._origin = self._await_ready()
            self._port = urlsplit(self._origin).port or 0  # the same again after kill() and start()
        except BaseException:
            self.stop()
            raise

    def _launch(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = self.log_file.open("a", encoding="utf-8")
        command = [*PROGRAM, "redcore_server", "up", "--data", str(self.data), "--port", str(self._port)]
        self._process = subprocess.Popen(  # noqa: S603 (our own program)
            [*command, "--lab"] if self._with_lab else command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **self._settings},
            start_new_session=True,  # Ctrl-C is for the tests, which stop the server when they have ended
        )
        assert self._watcher is not None  # noqa: S101 (start has just made it)
        assert self._watcher.stdin is not None  # noqa: S101 (it is a pipe)
        with self._watcher.stdin as pid:
            pid.write(str(self._process.pid).encode())

    def _watch(self) -> None:
        """Start a process that outlives the owner of the server, and ends the server when the owner has exited."""
        earlier = self._watcher
        watcher = [*PROGRAM, "redcore_server.process.watcher", str(self._owner()), str(self.data)]
        disposable = self._disposable()
        self._watcher = subprocess.Popen(  # noqa: S603 (our own program)
            watcher if disposable is None else [*watcher, str(disposable)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        dismiss(earlier)

    def _owner(self) -> int:
        """The process with which the server must end."""
        return os.getpid()

    def _disposable(self) -> Path | None:
        """The folder to delete with the server."""
        return None if self._temporary is None else self.data

    def _await_ready(self) -> str:
        assert self._process is not None  # noqa: S101 (start has just made it)
        assert self._process.stdout is not None  # noqa: S101 (it is a pipe)
        for line in self._process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
        end = self.log_file.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
        raise ReferenceServerError(f"the reference server did not start:\n{end}")

    def stop(self) -> None:
        """Stop the server and its stores; delete the data if the folder was not given."""
        self._end(signal.SIGTERM)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None
        dismiss(self._watcher)
        self._watcher = None

    def kill(self) -> None:
        """Kill the server as a power failure would; `start` continues with the committed data."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    # What a test needs -----------------------------------------------------------------------

    @property
    def data(self) -> Path:
        """The folder of its data."""
        if self._given is not None:
            return self._given
        if self._temporary is None:
            raise ReferenceServerError("the server is not started")
        return self._temporary

    @property
    def log_file(self) -> Path:
        """Its log, one JSON object a line."""
        return self.data / "server.log"

    @property
    def pid(self) -> int:
        """The id of its process."""
        if self._process is None:
            raise ReferenceServerError("the server is not started")
        return self._process.pid

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        if self._origin is None:
            raise ReferenceServerError("the server is not started")
        return self._origin

    @property
    def base_url(self) -> str:
        """What `Client(base_url=…)` takes."""
        return f"{self.origin}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """The `REDCORE_*` variables of the seeded credentials: an API key and an application, both with all scopes."""
        lines = (self.data / "credentials.env").read_text(encoding="utf-8").splitlines()
        words = [shlex.split(line, comments=True) for line in lines]
        pairs = (word.partition("=") for line in words if line[:1] == ["export"] for word in line[1:])
        return {**{name: value for name, _, value in pairs}, "REDCORE_BASE_URL": self.base_url}

    @property
    def arguments(self) -> ApiKeyArguments:
        """Same as `api_key`, under the name that `FakeBlueRound` uses."""
        return self.api_key

    @property
    def api_key(self) -> ApiKeyArguments:
        """Arguments for a client that uses the seeded API key: `Client(**server.api_key)`."""
        return {"base_url": self.base_url, "api_key": self.environment["REDCORE_API_KEY"]}

    @property
    def application(self) -> ApplicationArguments:
        """Arguments for a client that uses the seeded OAuth application: `Client(**server.application)`."""
        variables = self.environment
        secret = variables["REDCORE_CLIENT_SECRET"]
        return {"base_url": self.base_url, "client_id": variables["REDCORE_CLIENT_ID"], "client_secret": secret}

    @property
    def lab(self) -> Lab:
        """The laboratory: faults, the clock, the outbox."""
        if not self._with_lab:
            raise ReferenceServerError("the server was started without lab=True")
        return Lab(self.origin)


def dismiss(watcher: subprocess.Popen[bytes] | None) -> None:
    """End a watcher that has nothing left to watch."""
    if watcher is not None:
        watcher.kill()
        watcher.communicate()
