"""`redcore-server up`: binds the port, starts the stores, then serves.

Imports little at the top: the heavy libraries load while PostgreSQL and Redis boot.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Generator

import attrs

from redcore_server.data_folder import DataFolder, DataFolderInUse, Runtime, held_or_ready
from redcore_server.embedded import EmbeddedServers
from redcore_server.listening.address import listen
from redcore_server.process.libpq import isolate
from redcore_server.process.signals import interruptible
from redcore_server.settings import PREFIX, Settings


def up(settings: Settings) -> None:
    """Serve until interrupted or terminated.

    Raises:
        OperatorError: The server cannot start; the message says what to do.
    """
    with interruptible(), contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen(settings.host, settings.port))
        settings = attrs.evolve(settings, port=listener.getsockname()[1])
        folder = stack.enter_context(contextlib.closing(DataFolder(settings.data)))
        with_postgres, with_redis = settings.database_url is None, settings.redis_url is None
        isolate(is_embedded=with_postgres)
        servers = stack.enter_context(EmbeddedServers(folder, postgres=with_postgres, redis=with_redis))

        from redcore_server.process.banner import summary  # noqa: PLC0415 - as above
        from redcore_server.process.platform import serve  # noqa: PLC0415 - takes half a second, while they boot

        runtime = attrs.evolve(servers.ready(), base_url=settings.base_url, pid=os.getpid())
        folder.write_runtime(runtime)
        settings = attrs.evolve(
            settings,
            database_url=settings.database_url or runtime.database_url,
            redis_url=settings.redis_url or runtime.redis_url,
        )

        def announce() -> None:
            folder.mark_ready()
            columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            text = summary(settings, embedded_postgres=with_postgres, embedded_redis=with_redis, columns=columns)
            print(text, flush=True)  # noqa: T201 - for the person at the terminal

        serve(settings, listener, announce=announce)


@contextlib.contextmanager
def database(settings: Settings) -> Generator[str]:
    """Yield the URL of the database: the external one, that of a running server, or one started for this command.

    Waits for a server that is starting.

    Raises:
        OperatorError: No database is available.
    """
    isolate(is_embedded=settings.database_url is None)
    if settings.database_url is not None:
        yield settings.database_url
        return
    found = held_or_ready(settings.data)
    if isinstance(found, Runtime):
        if found.database_url is None:
            raise DataFolderInUse(f"the server on {settings.data} uses another PostgreSQL: set {PREFIX}DATABASE_URL")
        yield found.database_url
        return
    with contextlib.closing(found), EmbeddedServers(found, redis=False) as servers:
        url = servers.ready().database_url
        assert url is not None  # noqa: S101 - requested above
        yield url
