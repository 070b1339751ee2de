"""`redcore-server identity-provider`."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import attrs
import click

from redcore_server.settings import from_environment


@click.command("identity-provider")
@click.argument("metadata", type=click.File("rb"), required=False)
@click.option("--organisation", help="Id of the organisation; needed if there are several.")
@click.option("--remove", is_flag=True, help="Forget the one of the organisation.")
@click.option(
    "--data", type=click.Path(path_type=Path, resolve_path=True), help="Folder for everything that must last."
)
def identity_provider(
    metadata: IO[bytes] | None,
    organisation: str | None,
    remove: bool,  # noqa: FBT001 - click calls it
    data: Path | None,
) -> None:
    """Let an organisation sign in at its SAML identity provider, which the file METADATA describes.

    Without METADATA, print who signs in where. The platform's own metadata, for the provider, are at
    /saml/metadata.xml.
    """
    from redcore_server.auth.saml import administration  # noqa: PLC0415 - `--help` need not wait for it
    from redcore_server.clock import Clock  # noqa: PLC0415 - as above
    from redcore_server.process.up import database  # noqa: PLC0415 - as above
    from redcore_server.store.migrate import migrate  # noqa: PLC0415 - as above

    settings = from_environment()
    with database(attrs.evolve(settings, data=data or settings.data)) as url:
        migrate(url, clock=Clock())
        if remove:
            click.echo(administration.remove_provider(url, organisation) or "there was none")
            return
        if metadata is not None:
            administration.set_provider(url, organisation, metadata.read())
        for provider in administration.list_providers(url):
            click.echo(" ".join(provider))
