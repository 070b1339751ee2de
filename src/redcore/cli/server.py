"""`redcore server …` passes on to `redcore-server`."""

from __future__ import annotations

import sys

import click


@click.command(
    "server", context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run the reference server; passes on to `redcore-server`."""
    from redcore_server.__main__ import main  # noqa: PLC0415 (not needed by any other command)

    sys.argv = ["redcore-server", *arguments]
    main()
