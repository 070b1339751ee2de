"""How far a transfer has come: what is counted, digested, and told to the application."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import attrs

from redcore._base.public import public


@public
@attrs.frozen
class Progress:
    """How far an upload or a download has come."""

    done: int
    """Bytes of the file that are through; begins again when an upload is sent again."""
    total: int | None
    """Bytes of the whole file; None while nobody knows."""

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None while the total is not known."""
        if self.total is None:
            return None
        return self.done / self.total if self.total else 1.0


OnProgress: TypeAlias = Callable[[Progress], object]
"""Called with each step of a transfer; what it gives is awaited by `AsyncClient` if it can be."""


class Meter:
    """Counts and digests the bytes of one file on their way.

    Args:
        total: How many there are; None if nobody knows.
        on_progress: Whom to tell; None is nobody.
    """

    def __init__(self, total: int | None = None, on_progress: OnProgress | None = None) -> None:
        self.total = total
        self.done: int = 0
        self.complete: bool = False
        """Whether an upload has come to its end."""
        self._on_progress = on_progress
        self._digest = hashlib.sha256()

    def restart(self) -> None:
        """Begin with the first byte again."""
        self.done = 0
        self.complete = False
        self._digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """Count the next bytes."""
        self.done += len(piece)
        self._digest.update(piece)

    def tell(self) -> object:
        """Tell the application; returns what it gives."""
        return None if self._on_progress is None else self._on_progress(Progress(self.done, self.total))

    @property
    def sha256(self) -> str:
        """The digest of all bytes so far, in hexadecimal."""
        return self._digest.hexdigest()
