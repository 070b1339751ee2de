"""Real PostgreSQL and real Redis from wheels, for machines with neither.

Both start concurrently in the background, work for root and for a normal user, and end with this process however it
ends. A server that exits by itself is restarted (`keeper`); one that exits too often ends this process. Does not depend
on schema or keys.
"""

from __future__ import annotations

import os
import signal
from types import TracebackType
from typing import Self

import attrs

from redcore_server.data_folder import DataFolder, Runtime
from redcore_server.embedded.binaries import EmbeddedUnavailable, account_for
from redcore_server.embedded.keeper import MOST_ENDS, WITHIN_S, Keeper
from redcore_server.embedded.postgres import start_postgres
from redcore_server.embedded.process import EmbeddedServerFailed
from redcore_server.embedded.redis import start_redis
from redcore_server.settings import OperatorError

__all__ = ["EmbeddedServerFailed", "EmbeddedServerLost", "EmbeddedServers", "EmbeddedUnavailable"]


class EmbeddedServerLost(OperatorError):  # noqa: N818 - reads as the state it reports
    """An embedded server exited repeatedly; a supervisor may restart the process."""

    exit_code = 1


class EmbeddedServers:
    """The embedded servers of a data folder, as a context manager.

    Entering starts them in the background; `ready` waits for them. Leaving stops them.
    """

    def __init__(self, folder: DataFolder, *, postgres: bool = True, redis: bool = True) -> None:
        """Configure which servers to start on a locked folder.

        Args:
            folder: The data folder; the servers hold its `servers_lock` until they exit.
            postgres: Whether to start PostgreSQL.
            redis: Whether to start Redis.
        """
        self._folder = folder
        self._runtime = attrs.evolve(folder.runtime, postgres_port=None, redis_port=None, base_url=None)
        self._with_postgres = postgres
        self._with_redis = redis
        self._postgres: Keeper | None = None
        self._redis: Keeper | None = None

    def __enter__(self) -> Self:
        """Start the servers in the background.

        Raises:
            EmbeddedUnavailable: This account may not run them.
        """
        # The passwords are on disk before a cluster is created with them.
        self._folder.write_runtime(self._runtime)
        data, account, lock = self._folder.path, account_for(self._folder.path), self._folder.servers_lock
        if self._with_postgres:
            password = self._runtime.postgres_password
            port = self._runtime.last_postgres_port
            self._postgres = Keeper(
                lambda: start_postgres(data, account=account, password=password, lock=lock, port=port), _end_process
            )
        if self._with_redis:
            secret = self._runtime.redis_password
            last = self._runtime.last_redis_port
            self._redis = Keeper(
                lambda: start_redis(data, account=account, password=secret, lock=lock, port=last), _end_process
            )
        return self

    def ready(self) -> Runtime:
        """Wait until the servers answer; return their connection details.

        Raises:
            EmbeddedUnavailable: A wheel is missing, or unusable here.
            EmbeddedServerFailed: A server does not start.
        """
        postgres_port = self._postgres.started.result().port if self._postgres else None
        redis_port = self._redis.started.result().port if self._redis else None
        self._runtime = attrs.evolve(
            self._runtime,
            postgres_port=postgres_port,
            redis_port=redis_port,
            last_postgres_port=postgres_port or self._runtime.last_postgres_port,
            last_redis_port=redis_port or self._runtime.last_redis_port,
        )
        self._folder.write_runtime(self._runtime)
        return self._runtime

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers in order.

        Raises:
            EmbeddedServerLost: One of them exited too often.
        """
        keepers = {"postgres": self._postgres, "redis": self._redis}
        for keeper in keepers.values():
            if keeper is not None:
                keeper.stop()
        self._folder.write_runtime(attrs.evolve(self._runtime, postgres_port=None, redis_port=None))
        for name, keeper in keepers.items():
            if keeper is not None and keeper.is_lost:
                server, log = keeper.started.result().name, self._folder.path / f"{name}.log"
                raise EmbeddedServerLost(
                    f"the embedded {server} ended {MOST_ENDS} times within {WITHIN_S:.0f} s (see {log})"
                ) from None


def _end_process() -> None:
    """Stop this process in order, as its supervisor would; the reason is raised on leaving the context."""
    os.kill(os.getpid(), signal.SIGTERM)
