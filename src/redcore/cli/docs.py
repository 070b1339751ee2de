"""`redcore docs`: documentation on the platform's own pages."""

from __future__ import annotations

import click

from redcore.cli.app import CONTEXT, Suggesting
from redcore.cli.jobs import publish


@click.group("docs", cls=Suggesting, context_settings=CONTEXT)
def command() -> None:
    """Publish documentation."""


command.add_command(publish)
