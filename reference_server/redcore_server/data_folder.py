"""The data folder: checks and locks it, and stores the ports and passwords of the embedded servers.

Starts no process and opens no connection. Three locks show the state. The kernel releases a lock when its process ends,
so a lock is never stale:

    up.lock       held by a server, or by a command while it runs the stores itself
    command.lock  held by such a command: a server that starts meanwhile waits for it
    ready.lock    held by a server once it answers: a command that needs the server waits for that
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from pathlib import Path

import attrs

from redcore_server.settings import OperatorError

_LEFTOVERS_GONE_S = 15.0  # PostgreSQL kills its own after 5 s; then a slow disk
READY_WITHIN_S = 60.0  # enough for a server to start on a slow machine
_POLL_S = 0.02  # less than a person notices


class DataFolderError(OperatorError):
    """The data folder cannot be used."""


class DataFolderInUse(DataFolderError):  # noqa: N818 - it names the state the operator must end
    """Another server runs on this data folder."""


@attrs.frozen(kw_only=True)
class Runtime:
    """Connection details of a running server; ports and `base_url` are None while it is down."""

    postgres_password: str = attrs.field(repr=False, factory=lambda: secrets.token_urlsafe(32))
    redis_password: str = attrs.field(repr=False, factory=lambda: secrets.token_urlsafe(32))
    postgres_port: int | None = None
    redis_port: int | None = None
    last_postgres_port: int | None = None
    """The preferred port at a restart, if it is free, so that connected processes find it again."""
    last_redis_port: int | None = None
    base_url: str | None = None
    pid: int | None = None
    """Process of the server."""
    database: str = "postgres"
    redis_database: int = 0

    @property
    def database_url(self) -> str | None:
        """URL of the embedded PostgreSQL, password included."""
        if self.postgres_port is None:
            return None
        # It supports neither TLS nor GSSAPI: not asking saves two round trips per connection.
        options = "sslmode=disable&gssencmode=disable"
        return f"postgresql://redcore:{self.postgres_password}@127.0.0.1:{self.postgres_port}/{self.database}?{options}"

    @property
    def redis_url(self) -> str | None:
        """URL of the embedded Redis, password included."""
        if self.redis_port is None:
            return None
        return f"redis://:{self.redis_password}@127.0.0.1:{self.redis_port}/{self.redis_database}"


class DataFolder:
    """A data folder locked by this process, until `close` or until the process ends."""

    def __init__(self, path: Path, *, for_command: bool = False) -> None:
        """Create the folder if needed and lock it; wait for a command that holds it.

        Args:
            path: Path of the folder.
            for_command: Whether a short-lived command takes the lock, not a server.

        Raises:
            DataFolderInUse: Another server holds it.
            DataFolderError: It is not a folder, or cannot be created or written.
        """
        self.path = _writable(path)
        with contextlib.ExitStack() as stack:
            command_lock = _opened(path / "command.lock", stack)
            if for_command and not _try_lock(command_lock):
                raise DataFolderInUse(f"another command of redcore-server is using the data folder {path}")
            own_lock = _opened(path / "up.lock", stack)
            while not _try_lock(own_lock):
                if for_command or _try_lock(command_lock):
                    raise DataFolderInUse(f"another redcore-server is running on the data folder {path}")
                time.sleep(_POLL_S)
            self._ready_lock = _opened(path / "ready.lock", stack)
            self.servers_lock = _opened(path / "servers.lock", stack)
            self._await_leftovers()
            self._files = stack.pop_all()

    def _await_leftovers(self) -> None:
        """Wait for the embedded servers of a killed run: each inherited `servers_lock` and holds it until it exits."""
        deadline = time.monotonic() + _LEFTOVERS_GONE_S
        while not _try_lock(self.servers_lock):
            if time.monotonic() > deadline:
                raise DataFolderInUse(f"a server of an earlier run still uses {self.path}; end it first")
            time.sleep(0.01)

    @property
    def runtime(self) -> Runtime:
        """Return the content of the file, or new passwords if it does not exist."""
        return read_runtime(self.path) or Runtime()

    def write_runtime(self, runtime: Runtime) -> None:
        """Replace the file atomically; only its owner can read it."""
        write_private(_runtime_file(self.path), json.dumps(attrs.asdict(runtime), indent=2) + "\n")

    def mark_ready(self) -> None:
        """Signal to commands that the server is ready."""
        fcntl.flock(self._ready_lock, fcntl.LOCK_EX)  # a command that checks it holds it briefly

    def close(self) -> None:
        """Release the folder."""
        self._files.close()


def ready_runtime(path: Path) -> Runtime | None:
    """Return the connection details of the server of a data folder; None while no server is ready.

    Raises:
        DataFolderError: The file cannot be read or is not what a server writes.
    """
    try:
        descriptor = os.open(path / "ready.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderError(f"cannot read {path / 'ready.lock'}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return read_runtime(path)
    finally:
        os.close(descriptor)
    return None


def is_in_use(path: Path) -> bool:
    """Whether a server or a command holds the data folder."""
    try:
        DataFolder(path, for_command=True).close()
    except DataFolderInUse:
        return True
    return False


def held_or_ready(path: Path, within_s: float = READY_WITHIN_S) -> DataFolder | Runtime:
    """Return the locked folder, or the connection details of the server that runs on it, once it is ready.

    Args:
        path: Path of the folder.
        within_s: Seconds to wait for a server that is starting.

    Raises:
        DataFolderInUse: The server is not ready in time.
        DataFolderError: See `DataFolder`.
    """
    deadline = time.monotonic() + within_s
    while True:
        if (runtime := ready_runtime(path)) is not None:
            return runtime
        try:
            return DataFolder(path, for_command=True)
        except DataFolderInUse:
            if time.monotonic() > deadline:
                raise DataFolderInUse(f"the server on {path} is not ready after {within_s:.0f} s") from None
        time.sleep(_POLL_S)


def read_runtime(path: Path) -> Runtime | None:
    """Return the connection details written by the current or last server; None if there was no server.

    Raises:
        DataFolderError: The file cannot be read or is not what a server writes.
    """
    file = _runtime_file(path)
    try:
        return Runtime(**json.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise DataFolderError(f"{file} is damaged; restore it or start on an empty data folder") from error


def write_private(path: Path, text: str) -> None:
    """Write a file atomically with mode 0600: readers see the old or the new text, never a part.

    Raises:
        DataFolderError: It cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            if os.geteuid() == 0:  # run once as root on a user's folder: the user must keep access
                owner = path.parent.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            stream.write(text)
        new.replace(path)
    except OSError as error:
        raise DataFolderError(f"cannot write {path}: {error.strerror}") from error


def _runtime_file(path: Path) -> Path:
    return path / "runtime.json"


def _writable(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise DataFolderError(f"the data folder {path} is a file; name a folder with --data") from error
    except OSError as error:
        raise DataFolderError(_cannot_write(path, error)) from error
    return path


def _opened(path: Path, stack: contextlib.ExitStack) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataFolderError(_cannot_write(path.parent, error)) from error
    stack.callback(os.close, descriptor)
    return descriptor


def _cannot_write(path: Path, error: OSError) -> str:
    return f"cannot write to the data folder {path}: {error.strerror}; name another with --data"


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
