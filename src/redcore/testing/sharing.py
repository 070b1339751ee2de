"""One reference server for all workers of a parallel test run (pytest-xdist), with a platform for each.

The first worker that needs a server starts it, in the folder of the run; each later one has it open another platform.
It outlives its worker: the controller stops it at the end of the run, or, if that is killed, the watcher does.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from redcore.exceptions import ReferenceServerError
from redcore.testing.lab import Lab
from redcore.testing.server import STOP_S, ReferenceServer

DESCRIPTION = "server.json"
DATA = "data"
POLL_S = 0.02  # less than a person notices
CONTROLLER_POLL_S = 0.2  # costs nothing beside the tests, and leaves no worker running for longer


class SharedServer(ReferenceServer):
    """A platform of the server that the workers of a test run share.

    Args:
        pid: Of the server.
        origin: Of the platform.
        data: Its folder.
        log_file: Of the server.
    """

    def __init__(self, pid: int, origin: str, data: Path, log_file: Path) -> None:
        super().__init__(data=data)
        self._origin = origin
        self._pid = pid
        self._log_file = log_file

    def start(self) -> None:
        """Nothing to do: the server runs.

        Raises:
            ReferenceServerError: always.
        """
        raise ReferenceServerError(
            "the workers of this test run share this server; start and stop a ReferenceServer of the test's own"
        )

    def stop(self) -> None:
        """See `start`."""
        self.start()

    def kill(self) -> None:
        """See `start`."""
        self.start()

    @property
    def pid(self) -> int:
        """The id of the process of the server."""
        return self._pid

    @property
    def log_file(self) -> Path:
        """The log of the server, one JSON object a line."""
        return self._log_file


class RunsServer(ReferenceServer):
    """A server that ends with a test run, not with the worker that started it.

    Args:
        run: The folder of the run, which goes with the server.
        controller: The process of the run.
    """

    def __init__(self, run: Path, controller: int) -> None:
        super().__init__(data=run / DATA)
        self._run = run
        self._controller = controller

    def _owner(self) -> int:
        return self._controller

    def _disposable(self) -> Path:
        return self._run

    def release(self) -> None:
        """Leave the server to the run."""
        for process in (self._process, self._watcher):
            if process is not None:
                process.returncode = 0  # or `subprocess` would warn that it still runs
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        if self._log is not None:
            self._log.close()
        self._process = self._watcher = self._log = None


def join(run: Path, controller: int) -> SharedServer:
    """Return a platform for this worker; start the server if no other worker has.

    Args:
        run: The folder of the run; created if it does not exist.
        controller: The process that started this worker.

    Raises:
        ReferenceServerError: the server does not start, or has ended.
    """
    threading.Thread(target=end_with, args=(controller, run), daemon=True).start()
    with locked(run):
        description = run / DESCRIPTION
        if description.exists():
            return another_platform(json.loads(description.read_bytes()))
        started = RunsServer(run, controller)
        started.start()
        shared = SharedServer(started.pid, started.origin, started.data, started.log_file)
        about = {"pid": shared.pid, "origin": shared.origin, "log_file": str(shared.log_file)}
        description.write_text(json.dumps(about), encoding="utf-8")
        started.release()
        return shared


def end_with(controller: int, run: Path) -> None:
    """End this worker when its controller has exited: execnet would let a test that runs or waits go on for 15 s."""
    while os.getppid() == controller:
        time.sleep(CONTROLLER_POLL_S)
    shutil.rmtree(run, ignore_errors=True)  # if there is no server yet, nothing else deletes it
    os._exit(1)


def another_platform(server: dict[str, Any]) -> SharedServer:
    """Let the server of the run open one more platform."""
    origin, data = Lab(server["origin"]).add_platform()
    return SharedServer(server["pid"], origin, Path(data), Path(server["log_file"]))


def end(run: Path) -> None:
    """Stop the server of a run, if a worker started one, and delete its folder."""
    with suppress(FileNotFoundError):
        server = json.loads((run / DESCRIPTION).read_bytes())
        with suppress(ProcessLookupError):
            os.kill(server["pid"], signal.SIGTERM)
        await_released(Path(server["log_file"]).with_name("up.lock"))
    shutil.rmtree(run, ignore_errors=True)


def await_released(lock: Path) -> None:
    """Wait until the process that holds a lock has exited, up to 15 seconds."""
    ends_at = time.monotonic() + STOP_S
    with lock.open("rb") as file:
        while time.monotonic() < ends_at:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(POLL_S)


@contextmanager
def locked(run: Path) -> Generator[None]:
    """Let one worker at a time start or extend the server; a killed worker releases the lock."""
    run.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
