"""The embedded Redis: append-only file, password, 127.0.0.1 only."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
from pathlib import Path
from typing import Final

from redcore_server.embedded.binaries import Account, redis_program
from redcore_server.embedded.process import (
    EmbeddedServerFailed,
    Place,
    ServerProcess,
    on_free_port,
    piped,
    spawn,
)

_APPEND_ONLY_FILE: Final = "appendonly.aof"
_READING: Final = re.compile("append only file|RDB")  # how each failure to read the file begins or is announced
_KILLED: Final = frozenset({-signal.SIGKILL, -signal.SIGTERM})  # by others, such as for lack of memory

_CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {password}
dir .
appendonly yes
databases 256
appendfsync everysec
save ""
"""

_log = logging.getLogger("redcore_server.embedded")


def start_redis(data: Path, *, account: Account, password: str, lock: int, port: int | None = None) -> ServerProcess:
    """Start Redis on a data folder and return it once it has loaded its data.

    Raises:
        EmbeddedUnavailable: The wheel is missing.
        EmbeddedServerFailed: It does not start; the message quotes its log.
    """
    program = redis_program(account)
    folder = data / "redis"
    account.own(folder)
    log = data / "redis.log"
    log.unlink(missing_ok=True)
    place = Place(account=account, folder=folder, log=log, lock=lock)
    return on_free_port(lambda port: _serve(program, place, port, password), port)


def _serve(program: Path, place: Place, port: int, password: str) -> ServerProcess:
    logged = place.log.stat().st_size if place.log.exists() else 0
    try:
        return _launch(program, place, port, password)
    except EmbeddedServerFailed as error:
        said = place.log.read_bytes()[logged:].decode(errors="replace")
        is_damaged = error.code is not None and error.code not in _KILLED and _READING.search(said) is not None
        if not (is_damaged and _set_aside(place.folder / _APPEND_ONLY_FILE)):
            raise
        return _launch(program, place, port, password)


def _set_aside(file: Path) -> bool:
    """Move away an append-only file that Redis cannot read; return whether there was one.

    The data in Redis may be lost (docs/server.md): people then sign in again. So it must never prevent a start. Redis
    has a message for each kind of damage, and crashes at some.
    """
    if not file.exists():
        return False
    aside = file.with_name(f"{file.name}.damaged-{int(file.stat().st_mtime)}")
    file.rename(aside)
    _log.error("the append-only file of Redis is damaged, kept as %s; Redis starts empty, people sign in again", aside)
    return True


def _launch(program: Path, place: Place, port: int, password: str) -> ServerProcess:
    stdin = piped(_CONFIGURATION.format(port=port, password=password), reader=place.account)
    try:
        # SIGKILL loses nothing: a write is handed to the kernel before it is answered.
        process = spawn(place, [program, "-"], orphan_signal=signal.SIGKILL, stdin=stdin)
    finally:
        os.close(stdin)
    server = ServerProcess(
        name="Redis",
        place=place,
        port=port,
        process=process,
        stop_signal=signal.SIGTERM,
        start_again=lambda: _serve(program, place, port, password),
    )
    server.wait_until(lambda: _answers(port, password))
    return server


def _answers(port: int, password: str) -> bool:
    """Check as a client would; while Redis loads its file, it rejects commands."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = connection.makefile("rb")
            return [answer.readline(), answer.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False
