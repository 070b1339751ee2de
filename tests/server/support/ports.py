"""Unused ports, for servers that cannot choose one themselves."""

from __future__ import annotations

import random
import socket

BELOW_THE_KERNELS = range(15_000, 22_000)  # which gives connections ports from 32768 on


def free_port(*offsets: int) -> int:
    """Return a port that is free, as are those so far above it; it is not reserved, but few programs ask for it."""
    ports = list(BELOW_THE_KERNELS)
    random.shuffle(ports)
    return next(port for port in ports if all(is_free(port + offset) for offset in (0, *offsets)))


def is_free(port: int) -> bool:
    """Return whether a server could listen there."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
