"""A Redis cluster of one node, which already refuses scripts whose keys lie in different slots."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from tests.server.support.ports import free_port

from redcore_server.embedded.binaries import account_for, redis_program

SLOTS = range(16384)
BUS = 10_000  # how far above its port a node talks to others
PATIENCE_S = 10.0


@contextlib.contextmanager
def cluster_in(folder: Path) -> Iterator[str]:
    """Run a cluster whose files are in a folder, and return its URL."""
    port = free_port(BUS)
    program = redis_program(account_for(folder))
    options = ["--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(  # noqa: S603 - the Redis of our own wheel
        [program, "--port", str(port), *options], stdout=subprocess.DEVNULL
    ) as process:
        try:
            form_cluster(port)
            yield f"redis+cluster://127.0.0.1:{port}"
        finally:
            process.kill()


def form_cluster(port: int) -> None:
    """Give the node all slots and wait until it serves them."""
    deadline = time.monotonic() + PATIENCE_S
    with redis.Redis(port=port, decode_responses=True) as node:
        while time.monotonic() < deadline:
            with contextlib.suppress(redis.ConnectionError):
                state = node.execute_command("CLUSTER INFO")
                if state["cluster_state"] == "ok":
                    return
                if state["cluster_slots_assigned"] == "0":
                    node.execute_command("CLUSTER ADDSLOTS", *SLOTS)
            time.sleep(0.02)
    raise TimeoutError("the cluster did not form")
