"""Token cache in a file of the user, for programs that run repeatedly or in several processes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from redcore._base.clock import monotonic
from redcore._base.signal_handlers import let_through
from redcore._wire.decoders import converted
from redcore.exceptions import TokenCacheError
from redcore.tokens.file_lock import PAUSE_S, FileLocks, locked
from redcore.tokens.state_folder import NO_HOME, has_home, state_folder
from redcore.tokens.token_set import TokenSet

MAX_BYTES = 1024 * 1024  # a few hundred sessions of 2 to 4 KiB each
LIFETIME_S = 30 * 24 * 3600.0  # of an unused refresh token (contract section 6)
EXCLUDES = os.name == "nt"  # whether a file cannot be replaced while it is open, nor opened while it is replaced
BUSY_S = 2.0  # readers and writers have it open for a millisecond, virus scanners for longer
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
T = TypeVar("T")


class FileCache:
    """Keeps tokens in a file that only its owner can read; shared by all processes that use the same file.

    The file is replaced atomically, so that readers never see a partial file. When a token is about to expire, one
    process refreshes it; if that process is killed, another takes over immediately.

    Args:
        path: The file, created on first use; `~` is the home folder. None means `tokens.json` in the user's state
            folder, such as `~/.local/state/redcore`.
        strict: Whether to raise `TokenCacheError` if the file cannot be used; otherwise tokens are kept in memory
            instead, with one warning.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, strict: bool = False) -> None:
        self.strict = strict
        self._given = None if path is None else Path(path)
        self._found: Path | None = None
        self._locks = FileLocks()

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            TokenCacheError: it would be in the home folder, and the user has no home folder.
        """
        return self._path

    @property
    def _path(self) -> Path:
        if self._found is None:  # not cached_property: its lock in Python 3.11 stays locked in a forked child
            self._found = self._find()
        return self._found

    def _find(self) -> Path:
        if self._given is None:
            return state_folder() / "tokens.json"
        if str(self._given).startswith("~") and not has_home():
            raise TokenCacheError(NO_HOME)
        try:
            return self._given.expanduser().absolute()  # stays the same when the program changes its working folder
        except (RuntimeError, OSError):  # the home folder of an unknown user, or a deleted working folder
            raise TokenCacheError(f"{self._given} cannot be found: there is no such folder") from None

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None.

        Raises:
            TokenCacheError: the file cannot be read, is corrupt, or is readable by other users.
        """
        with self._explained():
            stored = self._read().get(key)
        try:
            return None if stored is None else converted(stored, TokenSet)  # fields of a newer version are ignored
        except msgspec.ValidationError:  # not chained: it may quote what is stored
            raise self._damaged() from None

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, replacing any others.

        Raises:
            TokenCacheError: the file cannot be read or written.
        """
        self._change(key, tokens.as_dict())

    def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any.

        Raises:
            TokenCacheError: the file cannot be read or written.
        """
        self._change(key, None)

    def try_lock(self, key: str, lease_s: float) -> bool:  # noqa: ARG002 (the system frees a dead holder's lock itself)
        """Acquire the lock of a key without waiting; see `SharedTokenCache`.

        Raises:
            TokenCacheError: the lock file cannot be created.
        """
        with self._explained():
            self._make_folder()
            return self._locks.try_lock(self._lock_file(key))

    def unlock(self, key: str) -> None:
        """Release the lock of a key."""
        self._locks.unlock(self._lock_file(key))

    def __reduce__(self) -> tuple[object, ...]:
        return partial(FileCache, self._given, strict=self.strict), ()

    def __repr__(self) -> str:
        return f"FileCache({'' if self._given is None else repr(str(self._given))})"

    def _lock_file(self, key: str) -> Path:
        return self._beside(hashlib.sha256(key.encode()).hexdigest()[:16])

    def _beside(self, name: str) -> Path:
        return self._path.with_name(f".{self._path.name}.{name}.lock")

    def _change(self, key: str, stored: dict[str, Any] | None) -> None:
        with self._explained():
            self._make_folder()
            with locked(self._beside("write")):
                entries = self._living()
                entries.pop(key, None)
                if stored is not None:
                    entries[key] = stored
                self._replace(msgspec.json.encode(entries))

    def _living(self) -> dict[str, dict[str, Any]]:
        """The entries whose refresh tokens may still be valid."""
        oldest = time.time() - LIFETIME_S
        return {key: stored for key, stored in self._read().items() if not _older(stored.get("issued_at"), oldest)}

    def _replace(self, content: bytes) -> None:
        if len(content) > MAX_BYTES:
            raise TokenCacheError(f"{self._path} has no room for more tokens; delete it, or name another path")
        new = self._path.with_name(f".{self._path.name}.new")  # of one writer at a time: it has the lock
        new.unlink(missing_ok=True)  # of a writer that was killed
        try:
            with open(new, "xb", opener=partial(os.open, mode=0o600)) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _when_not_open(partial(new.replace, self._path))
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            with _when_not_open(partial(open, self._path, "rb", opener=_open_own)) as file:
                self._check(os.fstat(file.fileno()))
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return {}
        try:
            return msgspec.json.decode(content if len(content) <= MAX_BYTES else b"", type=dict[str, dict[str, Any]])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._damaged() from None

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise TokenCacheError(f"{self._path} is not a file; name another path")
        if os.name == "posix" and (found.st_mode & _OTHERS or found.st_uid != os.geteuid()):
            raise TokenCacheError(
                f"others can read {self._path}; if you trust what it holds: chmod 600, else delete it and log in again"
            )

    def _make_folder(self) -> None:
        if self._path.is_dir():  # its locks would lie beside it
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Replace errors of the system, and of names that no file can have, by clear ones."""
        try:
            yield
        except (OSError, ValueError) as problem:
            let_through(problem)
            reason = getattr(problem, "strerror", None) or problem
            raise TokenCacheError(
                f"{self._path} cannot be used: {reason}; make it yours, or name another path"
            ) from None

    def _damaged(self) -> TokenCacheError:
        return TokenCacheError(f"{self._path} is damaged; delete it and log in again")


def _when_not_open(function: Callable[[], T]) -> T:
    """Do something with a file, again if another program has it open, such as a reader or a virus scanner.

    Raises:
        OSError: what the function raises.
    """
    ends_at = monotonic() + BUSY_S
    while True:
        try:
            return function()
        except PermissionError:
            if not EXCLUDES or monotonic() > ends_at:
                raise
        time.sleep(PAUSE_S)


def _older(issued_at: object, oldest: float) -> bool:
    return isinstance(issued_at, int | float) and issued_at < oldest


def _open_own(name: str, flags: int) -> int:
    """Open a file without following a symbolic link, and without blocking on a pipe."""
    return os.open(name, flags | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK")))
