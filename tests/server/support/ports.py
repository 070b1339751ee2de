"""Unused ports, for servers that cannot choose one themselves."""

from __future__ import annotations

import os
import random
import socket

BELOW_THE_KERNELS = range(15_000, 22_000)  # which gives connections ports from 32768 on
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

_left = list(BELOW_THE_KERNELS[WORKER::WORKERS])
random.shuffle(_left)


def free_port(*offsets: int) -> int:
    """Return a port that is free, as are those so far above it.

    It is not reserved, but few programs ask for it; no test of this run gets it again.
    """
    while True:
        port = _left.pop()
        if all(is_free(port + offset) for offset in (0, *offsets)):
            return port


def is_free(port: int) -> bool:
    """Return whether a server could listen there."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
