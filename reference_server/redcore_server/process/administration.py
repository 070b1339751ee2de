"""Database and object-store commands; they work whether or not a server is running."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog
from psycopg.rows import dict_row

from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.data_folder import DataFolderError, read_runtime
from redcore_server.logs import configure_logging
from redcore_server.process.seed import seed
from redcore_server.process.seed_credentials import Credentials, credentials_file, export_lines, save_credentials
from redcore_server.process.up import database
from redcore_server.settings import Settings
from redcore_server.store.migrate import migrate
from redcore_server.store.objects import check, open_objects, pieces_of
from redcore_server.store.postgres import AsyncPostgres

_log = structlog.stdlib.get_logger("redcore_server.process")


def migrate_database(settings: Settings) -> list[str]:
    """Apply the missing migrations and return their names.

    Raises:
        OperatorError: No usable database.
    """
    with database(settings) as url:
        return migrate(url, clock=Clock())


def seed_organisation(settings: Settings, organisation: str) -> str:
    """Create an organisation with an admin, an application and an API key; return their `export` lines.

    If the data folder is not writable, as in a container, no file is saved and the returned lines are the only copy.

    Raises:
        OperatorError: No usable database.
    """
    configure_logging(settings.log_level)
    with database(settings) as url:
        migrate(url, clock=Clock())
        running = read_runtime(settings.data)
        credentials = asyncio.run(_seed(url, organisation))
        base_url = (running and running.base_url) or settings.base_url
        if not credentials_file(settings.data).exists():
            try:
                save_credentials(settings.data, credentials, base_url)
            except DataFolderError as error:
                _log.warning("the credentials are printed only", problem=str(error))
    return export_lines(credentials, base_url)


def publish_static(settings: Settings, folder: Path) -> list[str]:
    """Upload the files of a folder to the object store, which `/static/…` serves; return their URLs.

    Raises:
        OperatorError: No usable object store.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    asyncio.run(_publish_static(settings, {name: folder / name for name in names}))
    return [f"/static/{name}" for name in names]


async def _publish_static(settings: Settings, files: Mapping[str, Path]) -> None:
    objects = open_objects(settings)
    await check(objects, settings)
    for name, file in files.items():
        await objects.put(f"static/{name}", pieces_of(file))


async def _seed(database_url: str, organisation: str) -> Credentials:
    async with await AsyncPostgres.connect(database_url, row_factory=dict_row) as connection:
        return await seed(connection, organisation=organisation, scopes=spec.load().scopes, clock=Clock())
