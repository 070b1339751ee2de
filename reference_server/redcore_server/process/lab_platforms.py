"""More platforms in a server in test mode, one for each worker of a parallel test run (`POST /lab/platforms`).

Each has its own address, database, clock, limits, faults and outbox, and shares the process, PostgreSQL and Redis with
the first one: a test run pays for one start, and no worker sees what another one does.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager
from typing import Final, Self
from urllib.parse import urlsplit

import attrs
from psycopg import sql
from starlette.types import ASGIApp

from redcore_server.data_folder import DataFolder, Runtime, read_runtime
from redcore_server.listening.address import listen
from redcore_server.listening.server import Listening, serving
from redcore_server.process.assembly import required
from redcore_server.process.start import prepare
from redcore_server.settings import Settings
from redcore_server.store.postgres import AsyncPostgres

_NAME_BYTES: Final = 4  # enough to name the platforms of one test run


class LabPlatforms:
    """The further platforms of a process, as an asynchronous context manager; leaving it closes all of them."""

    def __init__(
        self, how: Listening, open_platform: Callable[[Settings], AbstractAsyncContextManager[ASGIApp]]
    ) -> None:
        """Prepare for platforms.

        Args:
            how: How the first one is served.
            open_platform: Opens a platform on a migrated database.
        """
        self._how = attrs.evolve(how, announce=lambda: None)
        self._settings = how.settings
        self._open_platform = open_platform
        self._stop = asyncio.Event()
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Open none yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all of them."""
        self._stop.set()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def add(self) -> dict[str, object]:
        """Open a platform; return its origin and its data folder, which holds its credentials."""
        ready: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        self._running.append(asyncio.create_task(self._run(len(self._running) + 1, ready)))
        return await ready

    async def _run(self, number: int, ready: asyncio.Future[dict[str, object]]) -> None:
        """Open a platform and close it in the same task, as anything built on cancel scopes needs."""
        try:
            async with self._platform(number) as settings:
                ready.set_result({"origin": settings.origin, "data": str(settings.data)})
                await self._stop.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    @contextlib.asynccontextmanager
    async def _platform(self, number: int) -> AsyncGenerator[Settings]:
        name = f"lab_{secrets.token_hex(_NAME_BYTES)}"
        async with contextlib.AsyncExitStack() as stack:
            listener = stack.enter_context(listen(self._settings.host, 0))
            settings = attrs.evolve(
                self._settings,
                data=self._settings.data / name,
                port=listener.getsockname()[1],
                public_url=None,
                database_url=_within(required(self._settings.database_url), name),
                redis_url=_within(required(self._settings.redis_url), str(number)),
            )
            stack.enter_context(self._data_folder(settings, name, number))
            await stack.enter_async_context(_database(required(self._settings.database_url), name))
            await asyncio.to_thread(prepare, settings)
            app = await stack.enter_async_context(self._open_platform(settings))
            await stack.enter_async_context(serving(app, listener, attrs.evolve(self._how, settings=settings)))
            yield settings

    @contextlib.contextmanager
    def _data_folder(self, settings: Settings, name: str, number: int) -> Generator[None]:
        """Create a folder that commands of `redcore-server` take like that of a server; delete it at the end."""
        with contextlib.closing(DataFolder(settings.data)) as folder:
            stores = read_runtime(self._settings.data) or Runtime()
            folder.write_runtime(attrs.evolve(stores, base_url=settings.base_url, database=name, redis_database=number))
            folder.mark_ready()
            yield
        shutil.rmtree(settings.data, ignore_errors=True)


@contextlib.asynccontextmanager
async def _database(url: str, name: str) -> AsyncGenerator[None]:
    """Create a database on the server of another one; drop it at the end."""
    async with await AsyncPostgres.connect(url, autocommit=True) as connection:
        await connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    yield
    async with await AsyncPostgres.connect(url, autocommit=True) as connection:
        await connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _within(url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()
