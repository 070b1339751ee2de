"""Real PostgreSQL and real Redis from wheels, for machines with neither.

Both start beside each other while the caller does something else, work for root and for a normal user, and
end with this process however it ends. Knows nothing of schema or keys.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

import attrs

from redcore_server.data_folder import DataFolder, Runtime
from redcore_server.embedded.binaries import EmbeddedUnavailable, account_for
from redcore_server.embedded.postgres import start_postgres
from redcore_server.embedded.process import EmbeddedServerFailed, ServerProcess
from redcore_server.embedded.redis import start_redis

__all__ = ["EmbeddedServerFailed", "EmbeddedServers", "EmbeddedUnavailable"]


class _Keeper:
    """A thread that starts one server and lives as long: the kernel ends the server with the thread."""

    def __init__(self, start: Callable[[], ServerProcess]) -> None:
        self.started: Future[ServerProcess] = Future()
        self._start = start
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        try:
            server = self._start()
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            self.started.set_exception(error)
            return
        self.started.set_result(server)
        self._stop.wait()
        server.stop()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


class EmbeddedServers:
    """The embedded servers of a data folder, as a context manager.

    Entering begins to start them and returns at once; `ready` waits. Leaving stops them.
    """

    def __init__(self, folder: DataFolder, *, postgres: bool = True, redis: bool = True) -> None:
        """Say which servers to start on a folder we hold.

        Args:
            folder: The data folder; the servers hold its `servers_lock` until they are gone.
            postgres: Whether to start PostgreSQL.
            redis: Whether to start Redis.
        """
        self._folder = folder
        self._runtime = attrs.evolve(folder.runtime, postgres_port=None, redis_port=None, base_url=None)
        self._with_postgres = postgres
        self._with_redis = redis
        self._postgres: _Keeper | None = None
        self._redis: _Keeper | None = None

    def __enter__(self) -> Self:
        """Begin to start the servers.

        Raises:
            EmbeddedUnavailable: We may not run them.
        """
        # The passwords are on disk before a cluster is made with them.
        self._folder.write_runtime(self._runtime)
        data, account, lock = self._folder.path, account_for(self._folder.path), self._folder.servers_lock
        if self._with_postgres:
            password = self._runtime.postgres_password
            self._postgres = _Keeper(lambda: start_postgres(data, account=account, password=password, lock=lock))
        if self._with_redis:
            secret = self._runtime.redis_password
            self._redis = _Keeper(lambda: start_redis(data, account=account, password=secret, lock=lock))
        return self

    def ready(self) -> Runtime:
        """Wait until the servers answer and return how to reach them.

        Raises:
            EmbeddedUnavailable: A wheel is missing, or unusable here.
            EmbeddedServerFailed: A server does not start.
        """
        self._runtime = attrs.evolve(
            self._runtime,
            postgres_port=self._postgres.started.result().port if self._postgres else None,
            redis_port=self._redis.started.result().port if self._redis else None,
        )
        self._folder.write_runtime(self._runtime)
        return self._runtime

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers in order."""
        for keeper in (self._postgres, self._redis):
            if keeper is not None:
                keeper.stop()
        self._folder.write_runtime(attrs.evolve(self._runtime, postgres_port=None, redis_port=None))
