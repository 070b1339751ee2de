"""`redcore-server topology up` as a person sees it: run it on a terminal for a minute, then press Ctrl-C.

Run as `python -m tests.topology.terminal`. With `kill` it is killed instead, as soon as it is ready: then only its
folder stays.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

START_S, SHOWN_S, STOP_S = 180.0, 60.0, 30.0
EXPECTED = ("REDCORE_BASE_URL=https://", "REDCORE_API_KEY=", "PostgreSQL a", "primary", "replica", "node a1", "ready")


def main(arguments: list[str]) -> int:
    """Return 0 if addresses and table were shown, and nothing was left running."""
    is_killed = "kill" in arguments
    here, there = pty.openpty()
    command = [sys.executable, "-m", "redcore_server", "topology", "up"]
    with subprocess.Popen(command, stdin=there, stdout=there, stderr=there, start_new_session=True) as process:  # noqa: S603 - our own program
        os.close(there)
        started = time.monotonic()
        shown = _read(here, until=f"{'node b2':<14} ready", seconds=START_S)
        print(f"{time.monotonic() - started:.0f} s until four nodes are ready")
        shown += _read(here, until=None, seconds=0.0 if is_killed else SHOWN_S)
        os.killpg(process.pid, signal.SIGKILL if is_killed else signal.SIGINT)  # what the terminal sends at Ctrl-C
        stopped = time.monotonic()
        process.wait(STOP_S)
    (folder,) = set(re.findall(r"(/\S*topology-\w+)/logs", shown))
    missing = [part for part in EXPECTED if part not in shown]
    while (left := _left(folder)) and is_killed and time.monotonic() < stopped + STOP_S:
        time.sleep(0.1)
    redrawn = shown.count("PostgreSQL a")
    if is_killed:
        print(f"killed; {time.monotonic() - stopped:.1f} s later still running: {len(left)}")
        shutil.rmtree(folder)
        return int(bool(left))
    print(
        f"table drawn {redrawn} times; missing: {missing or 'nothing'}; ended {time.monotonic() - stopped:.1f} s"
        f" after Ctrl-C with {process.returncode}; left running: {len(left)}; folder left: {Path(folder).exists()}"
    )
    return int(bool(missing or left or redrawn < 10 or Path(folder).exists()))


def _read(terminal: int, *, until: str | None, seconds: float) -> str:
    shown, deadline = "", time.monotonic() + seconds
    while time.monotonic() < deadline and (until is None or until not in shown):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break
    if until is not None and until not in shown:
        sys.exit(f"not shown within {seconds:.0f} s: {until}\n{shown}")
    return shown


def _left(folder: str) -> list[Path]:
    return [each for each in Path("/proc").glob("[0-9]*") if folder in _described(each)]


def _described(process: Path) -> str:
    """Return the command line and the environment of a process."""
    try:
        return b"".join((process / name).read_bytes() for name in ("cmdline", "environ")).decode(errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
