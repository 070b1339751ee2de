"""stdin, stdout and stderr as the command line was given them: closed, full, or left by their reader."""

from __future__ import annotations

import io
import os
import sys


def open_missing_streams() -> None:
    """Give a process that was started without stdin, stdout or stderr (`<&-`) empty ones.

    Otherwise the next socket or file would take their place, and what is printed would go into it.
    """
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 (for the whole process)


def write_utf8() -> None:
    """Write UTF-8 where a program reads: JSON must be UTF-8, and a file must hold any name, whatever the locale is.

    What a terminal cannot show is shown escaped.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def discard_stdout() -> None:
    """Send what is left to nowhere: the reader has ended, as `head` does, or the disk is full.

    Otherwise the interpreter complains when it flushes the buffer at its end.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
