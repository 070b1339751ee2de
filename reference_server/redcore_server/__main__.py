"""The `redcore-server` command: reads options, calls one function, tells the operator what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from redcore_server.process.identity_provider import identity_provider
from redcore_server.settings import OperatorError, Settings, from_environment

_Command = TypeVar("_Command", bound=Callable[..., object])

_data = click.option(
    "--data", type=click.Path(path_type=Path, resolve_path=True), help="Folder for everything that must last."
)
_host = click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
_tls = click.option("--tls/--no-tls", default=None, help="Speak TLS, with a certificate of its own if none is set.")


def _port(default: int) -> Callable[[_Command], _Command]:
    return click.option(
        "--port", type=click.IntRange(0, 65535), help=f"Port; 0 takes a free one.  [default: {default}]"
    )


def _settings(**options: Any) -> Settings:
    """Return the environment's settings with the options that were given laid over them."""
    return attrs.evolve(from_environment(), **{name: value for name, value in options.items() if value is not None})


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """The BlueRound platform on your machine; REDCORE_SERVER_* variables set what no option sets."""


@cli.command()
@_host
@_port(4010)
@_data
@_tls
@click.option("--lab/--no-lab", default=None, help="Test mode: faults, clock and outbox under /lab.")
def up(**options: Any) -> None:
    """Start the whole platform and serve until Ctrl-C."""
    from redcore_server.process.up import up as serve  # noqa: PLC0415 - `--help` need not wait for it

    serve(_settings(**options))


@cli.command()
@_host
@_port(4010)
@_data
@_tls
def gateway(**options: Any) -> None:
    """Start the gateway alone, in front of an auth service and an API."""
    from redcore_server.process.single_role import run_gateway  # noqa: PLC0415 - as above

    run_gateway(_settings(**options))


@cli.command()
@_host
@_port(4011)
@_data
def auth(host: str | None, port: int | None, data: Path | None) -> None:
    """Start the auth service alone, for a gateway."""
    from redcore_server.process.single_role import run_service  # noqa: PLC0415 - as above

    run_service("auth", _settings(data=data), host or "127.0.0.1", 4011 if port is None else port)


@cli.command()
@_host
@_port(4012)
@_data
def api(host: str | None, port: int | None, data: Path | None) -> None:
    """Start the API and the CDN alone, for a gateway."""
    from redcore_server.process.single_role import run_service  # noqa: PLC0415 - as above

    run_service("api", _settings(data=data), host or "127.0.0.1", 4012 if port is None else port)


@cli.command()
@_data
def worker(data: Path | None) -> None:
    """Start the worker alone."""
    from redcore_server.process.single_role import run_worker  # noqa: PLC0415 - as above

    run_worker(_settings(data=data))


@cli.command()
@_data
def stores(data: Path | None) -> None:
    """Start PostgreSQL and Redis alone; roles on the same data folder find them."""
    from redcore_server.process.single_role import run_stores  # noqa: PLC0415 - as above

    run_stores(_settings(data=data))


@cli.command()
@_data
def migrate(data: Path | None) -> None:
    """Bring the database to the schema of this version."""
    from redcore_server.process.administration import migrate_database  # noqa: PLC0415 - as above

    for name in migrate_database(_settings(data=data)):
        click.echo(name)


@cli.command()
@click.option("--organisation", default="Example Organisation", show_default=True, help="Its name.")
@_data
def seed(organisation: str, data: Path | None) -> None:
    """Make an organisation, an admin, an application and an API key; print their `export` lines."""
    from redcore_server.process.administration import seed_organisation  # noqa: PLC0415 - as above

    click.echo(seed_organisation(_settings(data=data), organisation), nl=False)


@cli.command("publish-static")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_data
def publish_static(folder: Path, data: Path | None) -> None:
    """Put the files of FOLDER where /static/ finds them; print their addresses."""
    from redcore_server.process.administration import publish_static as publish  # noqa: PLC0415 - as above

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
