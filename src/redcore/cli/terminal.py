"""What is for people: messages on stderr, questions, colours. What is for programs goes through `output`."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

import click


class Terminal:
    """stderr and the person before it, if there is one."""

    def __init__(self) -> None:
        self.quiet = False
        self.verbosity = 0
        """1: what the SDK waits for and tries again; 2: every attempt."""
        self.colour: bool | None = None
        """False after `--no-color`; None to decide by the terminal."""
        self.advice: str = ""
        """How to go on after the interruption that is under way."""

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def in_colour(self) -> bool:
        """Whether stdout takes colours (https://no-color.org)."""
        return self.colour is not False and not os.environ.get("NO_COLOR") and sys.stdout.isatty()

    def note(self, message: str) -> None:
        """Say what happened; not after `--quiet`."""
        if not self.quiet:
            self._echo(harmless(message))

    def warn(self, message: str) -> None:
        """Say what may be wrong."""
        self._echo(click.style("warning: ", fg="yellow") + harmless(message))

    def error(self, message: str) -> None:
        """Say what went wrong; `--quiet` does not silence it."""
        self._echo(click.style("redcore: ", fg="red") + harmless(message))

    def detail(self, message: str, *, level: int = 1) -> None:
        """Say what `--verbose` (1) or `--debug` (2) asks for."""
        if self.verbosity >= level:
            self._echo(click.style(message, dim=True))

    @contextmanager
    def if_interrupted(self, advice: str) -> Generator[None]:
        """Say how to go on, if Ctrl-C ends what is done in the meantime."""
        try:
            yield
        except (KeyboardInterrupt, click.Abort):
            self.advice = self.advice or advice  # the innermost knows best
            raise

    def confirm(self, question: str, *, yes: bool, how: str = "--yes") -> None:
        """Ask before what cannot be undone.

        Args:
            question: What is about to happen, as a question.
            yes: Whether the person has agreed already.
            how: The option that agrees.

        Raises:
            click.UsageError: there is no terminal to ask at.
            click.ClickException: the answer was no.
            click.Abort: Ctrl-C, or the end of the input.
        """
        if yes:
            return
        if not self.interactive:
            raise click.UsageError(f"{question} There is no terminal to ask at: add {how} to go on.")
        with self.if_interrupted("Nothing was done."):
            if not click.confirm(harmless(question), err=True):
                raise click.ClickException("nothing was done, as you did not agree")

    def _echo(self, message: str) -> None:
        coloured = self.colour is not False and not os.environ.get("NO_COLOR")
        click.echo(message, err=True, color=None if coloured else False)


def harmless(text: str) -> str:
    """Return text from elsewhere without the control characters that a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
