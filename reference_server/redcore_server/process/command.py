"""The `redcore-server` command: parses options, calls one function, prints an error as one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from redcore_server.data_folder import READY_WITHIN_S
from redcore_server.process.identity_provider import identity_provider
from redcore_server.process.topology.command import topology
from redcore_server.settings import OperatorError, Settings, from_environment, misspelt, overview

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
    """Return the settings of the environment, overridden by the given options."""
    for problem in misspelt(os.environ):
        click.echo(f"redcore-server: {problem}", err=True)
    return attrs.evolve(from_environment(), **{name: value for name, value in options.items() if value is not None})


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="REDCORE_SERVER_* variables set what no option sets; `redcore-server settings` lists them.",
)
@click.version_option(package_name="redcore-sdk", prog_name="redcore-server", message="%(prog)s %(version)s")
def cli() -> None:
    """The BlueRound platform on your machine."""


@cli.command()
@_host
@_port(4010)
@_data
@_tls
@click.option("--lab/--no-lab", default=None, help="Test mode: faults, clock and outbox under /lab.")
@click.option("--detach", is_flag=True, help="Return once it answers; it goes on in the background.")
def up(*, detach: bool, **options: Any) -> None:
    """Start the whole platform and serve until Ctrl-C."""
    if detach:
        _start_in_background(_settings(**options), options)
        return
    from redcore_server.process.up import up as serve  # noqa: PLC0415 - `--help` need not wait for it

    serve(_settings(**options))


def _start_in_background(settings: Settings, options: Mapping[str, Any]) -> None:
    from redcore_server.process.background import start  # noqa: PLC0415 - as above

    server = start(_arguments(**{**options, "data": settings.data}), settings.data, READY_WITHIN_S)
    click.echo(server.log.read_text(encoding="utf-8"), nl=False)
    click.echo(f"It is process {server.process.pid} and prints to {server.log}.", err=True)


def _arguments(**options: Any) -> list[str]:
    """Return the command-line options of `up`."""
    words: list[str] = []
    for name, value in options.items():
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        elif value is not None:
            words += [f"--{name}", str(value)]
    return words


_within = click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=READY_WITHIN_S,
    show_default=True,
    help="Seconds to wait for the server.",
)


@cli.command()
@_data
@_within
def wait(data: Path | None, timeout: float) -> None:
    """Wait until the server of the data folder answers; print its base URL."""
    from redcore_server.process.background import wait_until_ready  # noqa: PLC0415 - as above

    click.echo(wait_until_ready(_settings(data=data).data, timeout))


@cli.command()
@_data
def stop(data: Path | None) -> None:
    """Stop the server of the data folder, such as one of `up --detach`; return when it has ended."""
    from redcore_server.process.background import stop as stop_server  # noqa: PLC0415 - as above

    click.echo(f"Stopped process {stop_server(_settings(data=data).data)}.", err=True)


@cli.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_host
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port.  [default: a free one]")
@_data
@_tls
@click.option("--lab/--no-lab", default=None, help="Test mode, as for `up`.")
@_within
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(*, command: tuple[str, ...], data: Path | None, timeout: float, **options: Any) -> None:
    """Start a server, run COMMAND with REDCORE_* set for it, stop the server; exit with COMMAND's code.

    Without --data the server gets a new folder that is deleted at the end. Example:

        redcore-server run -- python your_program.py
    """
    from redcore_server.process.background import run_command  # noqa: PLC0415 - as above

    _settings(**options)
    sys.exit(run_command(command, _arguments(**options), data, timeout))


@cli.command("settings")
def show_settings() -> None:
    """List every REDCORE_SERVER_* variable with its value and where that comes from; secrets are hidden."""
    for variable, value, origin in overview(_settings(), os.environ):
        click.echo(f"{variable}={value}  ({origin})")


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
    """Make an organisation, an admin, an application and an API key; print their `export` lines.

    It waits for a server that is starting. To set them in a shell: eval "$(redcore-server seed)"
    """
    from redcore_server.process.administration import seed_organisation  # noqa: PLC0415 - as above

    try:
        lines = seed_organisation(_settings(data=data), organisation)
    except BaseException:
        click.echo("false")  # so that `eval` of the output fails too
        raise
    click.echo(lines, nl=False)


@cli.command("restore-check")
@click.option("--since", required=True, help="To when it was restored, such as 2026-03-01T12:00:00Z.")
@_data
def restore_check(since: str, data: Path | None) -> None:
    """Make a database safe that was restored to an earlier moment; print what was done.

    Revokes again what was revoked since, empties Redis, and names the files whose bytes are gone. Run it before the
    first service starts on that database; it may be repeated.
    """
    from redcore_server.process.restore_check import restore_check as check  # noqa: PLC0415 - as above

    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise click.BadParameter("must be a time such as 2026-03-01T12:00:00Z", param_hint="--since") from None
    if moment.tzinfo is None:
        raise click.BadParameter("needs a time zone, such as Z", param_hint="--since")
    for line in check(_settings(data=data), moment).lines():
        click.echo(line)


@cli.command("publish-static")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_data
def publish_static(folder: Path, data: Path | None) -> None:
    """Put the files of FOLDER where /static/ finds them; print their addresses."""
    from redcore_server.process.administration import publish_static as publish  # noqa: PLC0415 - as above

    for address in publish(_settings(data=data), folder):
        click.echo(address)


cli.add_command(identity_provider)
cli.add_command(topology)


def main() -> None:
    """Run the command; print an `OperatorError` as one line."""
    try:
        cli(prog_name="redcore-server")
    except OperatorError as error:
        click.echo(f"redcore-server: {error}", err=True)
        sys.exit(error.exit_code)
