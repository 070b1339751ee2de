"""The time of an import in a new interpreter, and of a first call in it."""

from __future__ import annotations

import subprocess
import sys

IMPORT = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"
CALL = "import time; begin = time.process_time(); {}; print(time.process_time() - begin)"
FIRST_CALLS = {
    "httpx": "import httpx; httpx.get('{}/v1/users/usr_00000001').json()",
    "redcore": "import redcore; redcore.Client(api_key='rk_test_0', base_url='{}/v1').users.get('usr_00000001')",
}
"""The import, the client and the call, with the origin of the stub."""


def import_s(module: str) -> float:
    """Return the seconds that importing a module takes, with all that it imports."""
    return printed_by(IMPORT.format(module))


def first_call_s(module: str, origin: str) -> float:
    """Return the CPU seconds of a program that imports a module, makes a client and fetches one user."""
    return printed_by(CALL.format(FIRST_CALLS[module].format(origin)))


def printed_by(program: str) -> float:
    """Return the number that a program prints."""
    command = [sys.executable, "-c", program]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 (our own)
