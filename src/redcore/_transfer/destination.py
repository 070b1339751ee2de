"""Where a download goes: a path, by way of a file beside it, or a file that the application opened."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote

from redcore._call.steps import Flow, Work
from redcore._wire.progress import Meter
from redcore.exceptions import ArgumentError
from redcore.tokens.file_lock import take

BLOCK_BYTES = 1024 * 1024


class Target:
    """A file that is written in large blocks.

    Args:
        file: Opened for writing in binary mode.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> Flow[None]:
        """Write the next bytes, now or together with later ones."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK_BYTES:
            yield from self.flush()

    def flush(self) -> Flow[None]:
        """Write what is not written yet.

        Raises:
            ArgumentError: the file cannot be written.
        """
        block, self._pieces, self._size = b"".join(self._pieces), [], 0
        if block:
            yield Work(partial(self._write, block))

    def _write(self, block: bytes) -> None:
        left = memoryview(block)
        with writing():
            while left:
                left = left[self._file.write(left) or len(left) :]  # a raw file may take only a part


class Part:
    """The file beside a path that holds a download until it is complete and checked.

    Its name has the file's id, so that what is there is of that file; the bytes of a file never change. One download
    at a time has it, of all threads and processes; another one meanwhile has a part of its own, which never stays.

    Args:
        path: Where the download is to be in the end.
        file_id: What is downloaded.
    """

    def __init__(self, path: str | os.PathLike[str], file_id: str) -> None:
        self._path = Path(path)
        self._part = self._named(quote(file_id, safe=""))
        self._is_shared = True
        self._file: IO[bytes]

    def open(self, meter: Meter, *, resume: bool) -> IO[bytes]:
        """Open it, to add to what is there, which is counted.

        Args:
            meter: Counts what an earlier download has left.
            resume: Whether that is to stay.
        """
        with writing():
            self._file = self._shared() or self._own()
            try:
                if not resume:
                    self._file.truncate(0)
                self._file.seek(0)
                while piece := self._file.read(BLOCK_BYTES):
                    meter.add(piece)
            except BaseException:
                self._file.close()
                raise
        return self._file

    def drop(self) -> None:
        """Remove it."""
        self._end(self._part.unlink)

    def leave(self) -> None:
        """Leave what has come to another download."""
        if self._is_shared and os.fstat(self._file.fileno()).st_size:
            self._file.close()
        else:
            self.drop()

    def keep(self) -> None:
        """Put it where the download is to be; nobody ever sees half a file there."""
        self._end(partial(self._part.replace, self._path))

    def _named(self, middle: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{middle}.part")

    def _shared(self) -> IO[bytes] | None:
        """The part that stays; None if another download has it."""
        while True:
            file = self._part.open("a+b", buffering=0)
            try:
                if not take(file.fileno()):
                    file.close()
                    return None
                # Whoever had it before may have moved it to the path, or removed it, since it was opened here.
                if is_at(self._part, file):
                    return file
            except BaseException:
                file.close()
                raise
            file.close()

    def _own(self) -> IO[bytes]:
        self._is_shared = False
        self._part = self._named(secrets.token_hex(8))
        return self._part.open("x+b", buffering=0)

    def _end(self, move: Callable[[], object]) -> None:
        """Move or remove it while it is still locked; Windows does that with closed files only."""
        with writing():
            if os.name == "nt":
                self._file.close()
            try:
                move()
            finally:
                self._file.close()


def is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether a file that is open is the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def writing() -> Generator[None]:
    """Say what is wrong with a file."""
    try:
        yield
    except (OSError, ValueError) as problem:  # the second for a file that was closed, or a name with a NUL
        told = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise ArgumentError(f"the file cannot be written: {told}") from problem
