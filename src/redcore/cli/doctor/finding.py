"""One line of the doctor's report."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Literal, NamedTuple

import click

from redcore.cli.terminal import harmless

MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failure": ("failure", "red")}
CHECK_WIDTH = 12  # of the longest one, `credentials`, and a space
INDENT = 9 + CHECK_WIDTH  # and the mark, which takes 8 columns and a space
NARROW_INDENT = 2  # enough to show what belongs to the line above


class Finding(NamedTuple):
    """What one check found."""

    check: str
    level: Literal["ok", "warning", "failure"]
    found: str
    advice: str = ""
    """What to do; empty where all is well."""


def marked(finding: Finding, *, in_colour: bool) -> str:
    """Return a finding as a line for people, and what to do as a second one."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    word, colour = MARKS[finding.level]
    mark = click.style(word.ljust(8), fg=colour) if in_colour else word.ljust(8)
    is_narrow = 0 < width <= INDENT * 2  # no room for a column of text: it goes below
    indent = NARROW_INDENT if is_narrow else INDENT
    begin = f"{mark}{finding.check}\n{' ' * indent}" if is_narrow else f"{mark}{finding.check.ljust(CHECK_WIDTH)} "
    line = begin + folded(harmless(finding.found), width, indent)
    return f"{line}\n{' ' * indent}{folded(harmless(finding.advice), width, indent)}" if finding.advice else line


def folded(text: str, width: int, indent: int) -> str:
    """Return text in lines that a terminal has room for, each below the first; 0 is a terminal of any width."""
    if width == 0:
        return text
    return f"\n{' ' * indent}".join(textwrap.wrap(text, width - indent, break_on_hyphens=False) or [""])
