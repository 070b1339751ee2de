"""`redcore-server gateway`, `auth`, `api`, `worker`: one role in this process, on stores that run elsewhere.

And `stores`, which runs only the stores.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from typing import Final, Literal

import attrs
import uvloop

from redcore_server.clock import Clock
from redcore_server.data_folder import DataFolder, DataFolderError, Runtime, read_runtime
from redcore_server.embedded import EmbeddedServers
from redcore_server.listening.address import listen
from redcore_server.listening.server import Listening, run
from redcore_server.listening.tls import tls_context
from redcore_server.logs import configure_logging
from redcore_server.process.libpq import isolate
from redcore_server.process.roles import api_role, auth_role, gateway_role, worker_role
from redcore_server.process.signals import interruptible
from redcore_server.process.start import prepare
from redcore_server.settings import PREFIX, Settings, SettingsError
from redcore_server.store.address import DATABASE_VARIABLE, REDIS_VARIABLE, EmbeddedUrl

_LOOPBACK: Final = ("127.0.0.1", "::1")


def run_gateway(settings: Settings) -> None:
    """Serve at the public address until interrupted or terminated.

    Args:
        settings: Server settings, with the URLs of the other services.

    Raises:
        OperatorError: It cannot start; the message says what to do.
    """
    settings = _on_stores(settings)
    with interruptible(), contextlib.closing(listen(settings.host, settings.port)) as listener:
        settings = attrs.evolve(settings, port=listener.getsockname()[1])
        how = Listening(
            settings=settings,
            trusted_proxies=settings.trusted_proxies,
            tls=tls_context(settings),
            announce=lambda: _announce(settings.origin),
        )
        configure_logging(settings.log_level)
        prepare(attrs.evolve(settings, database_url=None))
        run(lambda draining: gateway_role(settings, Clock(), draining), listener, how)


def run_service(name: Literal["auth", "api"], settings: Settings, host: str, port: int) -> None:
    """Serve a role behind a gateway until interrupted or terminated.

    Args:
        name: Name of the role.
        settings: Server settings, the same as the gateway's.
        host: Host to listen on.
        port: Port to listen on; 0 picks a free one.

    Raises:
        OperatorError: It cannot start; the message says what to do.
    """
    settings = _on_stores(settings)
    if settings.public_url is None and settings.port == 0:
        raise SettingsError(f"{PREFIX}PUBLIC_URL", "is not set: it names the gateway's origin where its port is free")
    role = auth_role if name == "auth" else api_role
    with interruptible(), contextlib.closing(listen(host, port)) as listener:
        address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        how = Listening(
            settings=settings,
            trusted_proxies=_gateways(settings),
            tls=None,
            announce=lambda: _announce(address),
        )
        configure_logging(settings.log_level)
        prepare(settings)
        run(lambda draining: role(settings, Clock(), draining), listener, how)


def run_worker(settings: Settings) -> None:
    """Run jobs until interrupted or terminated; running jobs may finish.

    Args:
        settings: Server settings, the same as the gateway's.

    Raises:
        OperatorError: It cannot start; the message says what to do.
    """
    settings = _on_stores(settings)
    configure_logging(settings.log_level)
    with interruptible(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        prepare(settings)
        runner.run(_work(settings))


def run_stores(settings: Settings) -> None:
    """Run PostgreSQL and Redis of the data folder until interrupted or terminated; roles on the same folder find them.

    Args:
        settings: Server settings, with the data folder.

    Raises:
        OperatorError: They cannot start; the message says what to do.
    """
    configure_logging(settings.log_level)
    with (
        interruptible(),
        contextlib.closing(DataFolder(settings.data)) as folder,
        EmbeddedServers(folder) as servers,
    ):
        folder.write_runtime(servers.ready())
        folder.mark_ready()
        _announce("stores")
        while True:
            signal.pause()


async def _work(settings: Settings) -> None:
    async with worker_role(settings, Clock()) as worker:
        work = asyncio.create_task(worker.run())
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, work.cancel)
        _announce("worker")
        with contextlib.suppress(asyncio.CancelledError):
            await work


def _on_stores(settings: Settings) -> Settings:
    """Return settings with the URLs of both stores: from the environment, or of those running on the data folder.

    Those on the data folder are looked up again for each new connection: restarted, they may have other ports.
    """
    if settings.lab:
        raise SettingsError(f"{PREFIX}LAB", "works with `redcore-server up` only")
    isolate(is_embedded=settings.database_url is None)
    runtime = read_runtime(settings.data) or Runtime()
    database_url = settings.database_url or _embedded(runtime.database_url, lambda: _running(settings).database_url)
    redis_url = settings.redis_url or _embedded(runtime.redis_url, lambda: _running(settings).redis_url)
    for variable, url in ((DATABASE_VARIABLE, database_url), (REDIS_VARIABLE, redis_url)):
        if url is None:
            problem = f"is not set, and no store runs on {settings.data}: set it, or start `redcore-server stores`"
            raise SettingsError(variable, problem)
    return attrs.evolve(settings, database_url=database_url, redis_url=redis_url)


def _embedded(url: str | None, find: Callable[[], str | None]) -> EmbeddedUrl | None:
    return EmbeddedUrl(url, find) if url else None


def _running(settings: Settings) -> Runtime:
    try:
        return read_runtime(settings.data) or Runtime()
    except DataFolderError:  # the store counts as away
        return Runtime()


def _gateways(settings: Settings) -> Sequence[str]:
    """Return the proxies trusted to state a client's address; a gateway on another machine must be listed."""
    return settings.trusted_proxies or _LOOPBACK


def _announce(what: str) -> None:
    print(f"ready {what}", flush=True)  # noqa: T201 - for the person or script that started it
