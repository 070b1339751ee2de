"""How long an import takes in a Python that has just started."""

from __future__ import annotations

import subprocess
import sys

PROBE = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"


def import_s(module: str) -> float:
    """Seconds that importing a module takes, with all that it imports."""
    command = [sys.executable, "-c", PROBE.format(module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 (our own)
