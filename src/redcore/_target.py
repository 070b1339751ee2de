"""Where a download goes: a path, by way of a file beside it, or a file that the application opened."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote

from redcore._progress import Meter
from redcore._steps import Flow, Work
from redcore.exceptions import ArgumentError

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

    Its name has the file's id, so that what is there is of that file; the bytes of a file never change.

    Args:
        path: Where the download is to be in the end.
        file_id: What is downloaded.
    """

    def __init__(self, path: str | os.PathLike[str], file_id: str) -> None:
        self._path = Path(path)
        self._part = self._path.with_name(f"{self._path.name}.{quote(file_id, safe='')}.part")

    def measure(self, meter: Meter) -> None:
        """Count what an earlier download has left."""
        if not self._part.exists():
            return
        with writing(), self._part.open("rb") as file:
            while piece := file.read(BLOCK_BYTES):
                meter.add(piece)

    def open(self) -> IO[bytes]:
        """Open it, to add to what is there."""
        with writing():
            return self._part.open("ab", buffering=0)

    def drop(self) -> None:
        """Remove it."""
        with writing():
            self._part.unlink(missing_ok=True)

    def keep(self) -> None:
        """Put it where the download is to be; nobody ever sees half a file there."""
        with writing():
            self._part.replace(self._path)


@contextmanager
def writing() -> Generator[None]:
    """Say what is wrong with a file."""
    try:
        yield
    except (OSError, ValueError) as problem:  # the second for a file that was closed, or a name with a NUL
        told = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise ArgumentError(f"the file cannot be written: {told}") from problem
