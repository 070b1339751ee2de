"""One process of the topology, which ends with this process; it can be killed, suspended and restarted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from redcore_server.embedded import leash
from redcore_server.embedded.binaries import Account


def leashed(account: Account | None = None, *, detaches: bool = False) -> list[str]:
    """Return the beginning of a command line that ends with this process.

    Args:
        account: User account that runs it; by default ours.
        detaches: Whether the program detaches others from itself, which are to end too.
    """
    account = account or Account(os.geteuid(), os.getegid())
    numbers = (int(signal.SIGKILL), os.getpid(), account.uid, account.gid)
    options = ["--detached"] if detaches else []
    return [sys.executable, "-I", "-S", leash.__file__, *options, *map(str, numbers)]


@attrs.define(kw_only=True)
class Program:
    """A process that ends with this process.

    Attributes:
        name: Name for people and for its log file.
        command: Command and its arguments.
        environment: Variables added to those every process has.
        logs: Folder of the log files.
        account: User account that runs it.
        detaches: Whether it detaches other programs from itself; these outlive its `kill`, but not this process.
        stop_signal: Signal for an orderly stop.
        enter: Beginning of the command line that leads into its zone.
    """

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = attrs.field(factory=dict[str, str])
    logs: Path
    account: Account = attrs.field(factory=lambda: Account(os.geteuid(), os.getegid()))
    detaches: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    enter: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and is still running."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it unless it is running."""
        if self.is_running:
            return
        with (self.logs / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                [*self.enter, *leashed(self.account, detaches=self.detaches), *map(str, self.command)],
                env={**_PASSED_ON, **self.environment},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self._send(signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """Request an orderly stop without waiting for it."""
        self._send(self.stop_signal)

    def hold(self) -> None:
        """Suspend it: it keeps its connections but answers nothing."""
        self._send(signal.SIGSTOP)

    def release(self) -> None:
        """Resume a suspended process."""
        self._send(signal.SIGCONT)

    def wait(self, timeout_s: float) -> None:
        """Wait until it exits; kill it if it does not."""
        try:
            if self.process is not None:
                self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def _send(self, number: signal.Signals) -> None:
        if self.is_running and self.process is not None:
            os.killpg(self.process.pid, number)

    def _reap(self) -> None:
        if self.process is not None:
            self.process.wait()


_PASSED_ON = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
