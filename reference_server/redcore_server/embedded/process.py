"""One embedded server as a child process that ends with this one: started, awaited, stopped.

Knows neither PostgreSQL nor Redis. The kernel ties a child to the *thread* that started it: start it from a long-lived
thread.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from redcore_server.embedded.binaries import Account
from redcore_server.settings import OperatorError

_LEASH = Path(__file__).with_name("leash.py")
_SILENT_S = 30.0  # PostgreSQL reports the progress of a recovery every 10 s
_PORT_ATTEMPTS = 3  # another program can take a port between the choice and the start
_TRIES = 100  # random ports; if all of these are taken, so are nearly all others
_FIRST_PORT = 15_000  # above the ports of most services, below those of outgoing connections
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CAUSE = re.compile("(ERROR|FATAL|PANIC|error):")


class EmbeddedServerFailed(OperatorError):  # noqa: N818 - reads as the state it reports
    """An embedded server exited or did not answer; the message quotes its log.

    Attributes:
        code: Exit code of the server, negative for a signal; None if it did not exit.
    """

    def __init__(self, name: str, problem: str, log: Path, code: int | None = None) -> None:
        self.code = code
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if _tells(line)]
        causes = [line for line in lines if _CAUSE.search(line)] or lines  # PostgreSQL ends with what follows from them
        said = "; ".join(causes[-3:]) or "it said nothing"
        super().__init__(f"the embedded {name} {problem}: {said} (see {log})")


def _tells(line: str) -> bool:
    """Return whether a line may be about the failure: Redis warns about the machine's settings at each start."""
    return bool(line.strip()) and "WARNING" not in line


@attrs.frozen(kw_only=True)
class Place:
    """The account and folders of a server.

    Attributes:
        account: The account it runs as.
        folder: Its working directory; the account need not be able to traverse the path.
        log: File for its output.
        lock: File descriptor it inherits, so that a lock on it lasts until the server exits.
    """

    account: Account
    folder: Path
    log: Path
    lock: int


@attrs.frozen(kw_only=True)
class ServerProcess:
    """A running server."""

    name: str
    place: Place
    port: int
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    start_again: Callable[[], ServerProcess] = attrs.field(repr=False)
    """Restarts it on the same port, after it exited by itself."""

    def wait_until(self, answers: Callable[[], bool], silent_s: float = _SILENT_S) -> None:
        """Wait until `answers` is true; as long as the server writes to its log, it may take any time to recover.

        Args:
            answers: Whether the server is ready.
            silent_s: Seconds without anything new in the log after which the server is given up and killed.

        Raises:
            EmbeddedServerFailed: The server exited, or was silent for too long.
        """
        logged, deadline = -1, 0.0
        while not answers():
            if self.process.poll() is not None:
                code = self.process.returncode
                raise EmbeddedServerFailed(self.name, f"ended with code {code}", self.place.log, code)
            if (size := self.place.log.stat().st_size) != logged:
                logged, deadline = size, time.monotonic() + silent_s
            if time.monotonic() > deadline:
                self.process.kill()  # it would be in the way of the next attempt
                self.process.wait()
                raise EmbeddedServerFailed(self.name, f"said nothing for {silent_s:g} s", self.place.log)
            time.sleep(0.002)

    def stop(self) -> None:
        """Request an orderly stop; kill it if it does not exit."""
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def spawn(
    place: Place, command: Sequence[str | Path], *, orphan_signal: signal.Signals, stdin: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a program that gets `orphan_signal` when the calling thread or its process ends."""
    account = place.account
    leash = [sys.executable, "-I", "-S", _LEASH, orphan_signal.value, os.getpid(), account.uid, account.gid]
    with place.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own programs
            [*map(str, leash), *map(str, command)],
            cwd=place.folder,
            env={"LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=log,
            stderr=log,
            pass_fds=(place.lock,),
            start_new_session=True,  # this process handles Ctrl-C; the servers stop after it
        )


def piped(text: str, *, reader: Account) -> int:
    """Return a descriptor the account can read `text` from: no secret in arguments, environment or files."""
    read_end, write_end = os.pipe()
    if os.geteuid() == 0:
        os.fchown(read_end, reader.uid, reader.gid)
    os.write(write_end, text.encode())  # far smaller than the pipe's buffer, so it cannot block
    os.close(write_end)
    return read_end


def on_free_port(start: Callable[[int], ServerProcess], preferred: int | None = None) -> ServerProcess:
    """Start a server on a free port, or on another one if that becomes taken.

    Args:
        start: Starts it on a port.
        preferred: The port to try first, if it is free.
    """
    for attempt in range(_PORT_ATTEMPTS - 1):
        try:
            return start(preferred if preferred and attempt == 0 and _is_free(preferred) else _free_port())
        except EmbeddedServerFailed as error:
            if "in use" not in str(error).lower():
                raise
    return start(_free_port())


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    """Return a free port that the system gives to no outgoing connection.

    While a server is restarted, such a connection could take its port: even that of a client which tries to reach it,
    and is then connected to itself.
    """
    with contextlib.suppress(OSError):  # a sandbox may not have the file
        candidates = range(_FIRST_PORT, int(_RANGE.read_text(encoding="ascii").split()[0]))
        for port in random.sample(candidates, min(len(candidates), _TRIES)):
            if _is_free(port):
                return port
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
