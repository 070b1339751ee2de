"""Progress of a transfer: counts and hashes its bytes, and reports them to the application."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import attrs

from redcore._base.public import public


@public
@attrs.frozen
class Progress:
    """Progress of an upload or a download."""

    done: int
    """Bytes of the file transferred so far; restarts at 0 when an upload is retried."""
    total: int | None
    """Size of the whole file in bytes; None if unknown."""

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None while the total is unknown."""
        if self.total is None:
            return None
        return self.done / self.total if self.total else 1.0


OnProgress: TypeAlias = Callable[[Progress], object]
"""Called with the progress of a transfer; `AsyncClient` awaits the result if it is awaitable."""


class Meter:
    """Counts and hashes the bytes of one file during the transfer.

    Args:
        total: Size of the file in bytes; None if unknown.
        on_progress: Called with the progress, or None.
    """

    def __init__(self, total: int | None = None, on_progress: OnProgress | None = None) -> None:
        self.total = total
        self.done: int = 0
        self.complete: bool = False
        """Whether an upload is complete."""
        self._on_progress = on_progress
        self._digest = hashlib.sha256()

    def restart(self) -> None:
        """Restart from the first byte."""
        self.done = 0
        self.complete = False
        self._digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """Count the next bytes."""
        self.done += len(piece)
        self._digest.update(piece)

    def tell(self) -> object:
        """Report progress to the application; returns the result of its callback."""
        return None if self._on_progress is None else self._on_progress(Progress(self.done, self.total))

    @property
    def sha256(self) -> str:
        """The digest of all bytes so far, in hexadecimal."""
        return self._digest.hexdigest()
