"""What an upload is read from, in chunks while it is sent, and what reading it may raise."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

from redcore._base.signal_handlers import let_through
from redcore.exceptions import ArgumentError, RedcoreError

PIECE_BYTES = 64 * 1024  # the amount that a connection accepts at a time
DEFAULT_NAME = "upload"
MODES = {"read": "rb", "written": "wb"}


class Source(ABC):
    """The bytes of one upload, from the initial position to the end."""

    name: str = DEFAULT_NAME
    content_type: str | None = None
    """The media type, if the file has one."""
    size: int | None = None
    """Total size in bytes; None if unknown."""
    replayable = False
    """Whether the bytes can be read a second time."""
    blocks = True
    """Whether reading may block on disk I/O or on the application."""
    waits = False
    """Whether reading waits for another program, for any time."""

    @abstractmethod
    def start(self) -> None:
        """Rewind to the first byte.

        Raises:
            ArgumentError: the file cannot be read or rewound.
        """

    @abstractmethod
    def read(self) -> bytes:
        """Return the next bytes; empty at the end.

        Raises:
            ArgumentError: the file cannot be read, is not binary, or was truncated.
        """

    def ready(self) -> bool:
        """Whether reading would not wait for another program; may wait a moment for it.

        Raises:
            RequestTimeoutError: the deadline has passed.
        """
        return True

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Close a file that was opened here; files of the application stay open."""


class Awaited(Source):
    """An async source, for `AsyncClient` only."""

    def start(self) -> None:
        """Not possible without awaiting."""
        raise ArgumentError("a file or an iterator that is awaited can be uploaded by AsyncClient only")

    def read(self) -> bytes:
        """Not possible without awaiting."""
        self.start()
        return b""

    @abstractmethod
    async def start_async(self) -> None:
        """Rewind to the first byte; raises as `Source.start` does."""

    @abstractmethod
    async def read_async(self) -> bytes:
        """Return the next bytes; empty at the end; raises as `Source.read` does."""


def as_bytes(piece: object) -> bytes:
    """Check that a chunk is bytes."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray | memoryview):
        return bytes(cast("bytearray | memoryview[int]", piece))
    raise ArgumentError(f"the file gave {type(piece).__name__}, not bytes")


@contextmanager
def reading() -> Generator[None]:
    """Replace errors of a file by ones that explain the problem; decompressors raise errors of many types."""
    try:
        yield
    except RedcoreError:
        raise
    except Exception as problem:
        let_through(problem)
        raise ArgumentError(explained(problem, "read")) from problem


def explained(problem: Exception, what: str) -> str:
    """Say which file cannot be read or written, as far as the system says it, and why."""
    name = problem.filename if isinstance(problem, OSError) and isinstance(problem.filename, str) else "the file"
    reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    if isinstance(problem, io.UnsupportedOperation):  # its text is the name of the method
        reason = f'it was opened for something else; open it with mode "{MODES[what]}"'
    return f"{name} cannot be {what}: {reason or type(problem).__name__}"
