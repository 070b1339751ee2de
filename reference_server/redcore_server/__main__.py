"""The `redcore-server` command: reads options, calls one function, tells the operator what went wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import attrs
import click

from redcore_server.auth.saml.command import identity_provider
from redcore_server.settings import OperatorError, Settings, from_environment

_data = click.option(
    "--data", type=click.Path(path_type=Path, resolve_path=True), help="Folder for everything that must last."
)


def _settings(**options: Any) -> Settings:
    """Return the environment's settings with the options that were given laid over them."""
    return attrs.evolve(from_environment(), **{name: value for name, value in options.items() if value is not None})


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """The BlueRound platform on your machine; REDCORE_SERVER_* variables set what no option sets."""


@cli.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: 4010]")
@_data
@click.option("--lab/--no-lab", default=None, help="Test mode: faults, clock and outbox under /lab.")
def up(host: str | None, port: int | None, data: Path | None, lab: bool | None) -> None:  # noqa: FBT001 - click calls it
    """Start the whole platform and serve until Ctrl-C."""
    from redcore_server.up import up as serve  # noqa: PLC0415 - `--help` need not wait for it

    serve(_settings(host=host, port=port, data=data, lab=lab))


@cli.command()
@_data
def migrate(data: Path | None) -> None:
    """Bring the database to the schema of this version."""
    from redcore_server.administration import migrate_database  # noqa: PLC0415 - as above

    for name in migrate_database(_settings(data=data)):
        click.echo(name)


@cli.command()
@click.option("--organisation", default="Example Organisation", show_default=True, help="Its name.")
@_data
def seed(organisation: str, data: Path | None) -> None:
    """Make an organisation, an admin, an application and an API key; print their `export` lines."""
    from redcore_server.administration import seed_organisation  # noqa: PLC0415 - as above

    click.echo(seed_organisation(_settings(data=data), organisation), nl=False)


@cli.command("publish-static")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_data
def publish_static(folder: Path, data: Path | None) -> None:
    """Put the files of FOLDER where /static/ finds them; print their addresses."""
    from redcore_server.administration import publish_static as publish  # noqa: PLC0415 - as above

    for address in publish(_settings(data=data), folder):
        click.echo(address)


cli.add_command(identity_provider)


def main() -> None:
    """Run the command; what the operator can put right ends as one line and exit code 2."""
    try:
        cli(prog_name="redcore-server")
    except OperatorError as error:
        click.echo(f"redcore-server: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
