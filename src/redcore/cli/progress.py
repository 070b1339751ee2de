"""Progress of what takes time: a bar with rate and time left at a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol

from redcore.cli.terminal import Terminal

LINE_EVERY_S = 5.0
"""Seconds between two lines where there is no terminal: a log is not flooded by a long transfer."""


class Update(Protocol):
    """Moves one bar."""

    def __call__(self, done: float, total: float | None) -> None:
        """Show how much is done."""
        ...


@contextmanager
def bytes_bar(terminal: Terminal, label: str) -> Generator[Update]:
    """Yield what shows the progress of a transfer, in bytes."""
    from rich.progress import (  # noqa: PLC0415 (only for what takes time)
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _bar(terminal, label, columns) as update:
        yield update


@contextmanager
def share_bar(terminal: Terminal, label: str) -> Generator[Update]:
    """Yield what shows the progress of a run, from 0 to 1."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 (as above)

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with _bar(terminal, label, columns) as update:
        yield update


@contextmanager
def _bar(terminal: Terminal, label: str, columns: tuple[object, ...]) -> Generator[Update]:
    if terminal.quiet:
        yield lambda done, total: None  # noqa: ARG005 (nothing is shown)
        return
    if not sys.stderr.isatty():
        yield lines(terminal, label, time.monotonic)
        return
    from rich.console import Console  # noqa: PLC0415 (only for what takes time)
    from rich.progress import Progress  # noqa: PLC0415 (as above)

    console = Console(stderr=True, no_color=None if terminal.colour is not False else True)
    with Progress(*columns, console=console, transient=True) as progress:  # type: ignore[arg-type]  # columns of rich
        task = progress.add_task(label, total=None)

        def update(done: float, total: float | None) -> None:
            progress.update(task, completed=done, total=total)

        yield update


def lines(terminal: Terminal, label: str, monotonic: Callable[[], float]) -> Update:
    """Return what prints a line now and then."""
    last = monotonic()

    def update(done: float, total: float | None) -> None:
        nonlocal last
        if monotonic() - last >= LINE_EVERY_S:
            last = monotonic()
            terminal.note(f"{label}: {done / total:.0%}" if total else f"{label}: {done:g}")

    return update
