"""The embedded Redis: append-only file, password, 127.0.0.1 only."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from redcore_server.embedded.binaries import Account, redis_program
from redcore_server.embedded.process import Place, ServerProcess, on_free_port, piped, spawn

_CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {password}
dir .
appendonly yes
appendfsync everysec
save ""
"""


def start_redis(data: Path, *, account: Account, password: str, lock: int) -> ServerProcess:
    """Start Redis on a data folder and return it once it has loaded its data.

    Raises:
        EmbeddedUnavailable: Its wheel is missing.
        EmbeddedServerFailed: It does not start; the message quotes its log.
    """
    program = redis_program(account)
    folder = data / "redis"
    account.own(folder)
    log = data / "redis.log"
    log.unlink(missing_ok=True)
    place = Place(account=account, folder=folder, log=log, lock=lock)
    return on_free_port(lambda port: _serve(program, place, port, password))


def _serve(program: Path, place: Place, port: int, password: str) -> ServerProcess:
    stdin = piped(_CONFIGURATION.format(port=port, password=password), reader=place.account)
    try:
        # SIGKILL loses nothing: a write is in the kernel's hands before it is answered.
        process = spawn(place, [program, "-"], orphan_signal=signal.SIGKILL, stdin=stdin)
    finally:
        os.close(stdin)
    server = ServerProcess(name="Redis", place=place, port=port, process=process, stop_signal=signal.SIGTERM)
    server.wait_until(lambda: _answers(port, password))
    return server


def _answers(port: int, password: str) -> bool:
    """Ask as a client would; while it loads its file, Redis refuses."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = connection.makefile("rb")
            return [answer.readline(), answer.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False
