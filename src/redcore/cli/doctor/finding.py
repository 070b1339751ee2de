"""One line of the doctor's report."""

from __future__ import annotations

from typing import Literal, NamedTuple

import click

MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failure": ("failure", "red")}
CHECK_WIDTH = 12


class Finding(NamedTuple):
    """What one check found."""

    check: str
    level: Literal["ok", "warning", "failure"]
    found: str
    advice: str = ""
    """What to do; empty where all is well."""


def marked(finding: Finding, *, in_colour: bool) -> str:
    """Return a finding as a line for people, and what to do as a second one."""
    word, colour = MARKS[finding.level]
    mark = click.style(word.ljust(8), fg=colour) if in_colour else word.ljust(8)
    line = f"{mark}{finding.check.ljust(CHECK_WIDTH)} {finding.found}"
    return f"{line}\n{' ' * (9 + CHECK_WIDTH)}{finding.advice}" if finding.advice else line
