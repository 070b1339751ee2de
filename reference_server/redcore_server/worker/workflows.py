"""The job that executes a workflow run: claims it, runs the workflow, and records the result.

A killed run restarts from the beginning: its effects are committed together with its success, or not at all.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import attrs
import psycopg
import structlog
from psycopg.types.json import Jsonb

from redcore_server.auth.people.role import Role, allows, effective
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.store import Stores
from redcore_server.store.jobs import RUNS, BusyElsewhere, defer
from redcore_server.store.objects import Objects, ObjectsFull
from redcore_server.store.postgres import AsyncPostgres, queries
from redcore_server.workflows import WORKFLOWS
from redcore_server.workflows.definition import Definition, Run, RunCancelled, RunFailed, not_allowed

TASK: Final = "run_workflow"
MAX_FAILURES: Final = 5  # kills and outages; what fails this often would fail each time
_QUERIES: Final = queries("workflows")
_log = structlog.get_logger("redcore_server.worker")


_FULL: Final = "The server has no space left for the work of this run. Nothing was changed; tell those who run it."


class BeingRunElsewhere(BusyElsewhere):
    """Another worker is executing it."""


async def defer_run(connection: AsyncPostgres, *, run_id: str, organisation_id: str, lane: int, turn: int) -> None:
    """Schedule a run, if and only if the caller's transaction commits.

    Args:
        connection: Connection with an open transaction, in which the run was written.
        run_id: Run id, `wfr_…`.
        organisation_id: Id of the owning organisation.
        lane: Lane of the organisation; runs of one lane are sequential.
        turn: Order among waiting runs of all organisations; the lowest is next.
    """
    lock = f"{organisation_id}/{lane}"
    await defer(connection, TASK, priority=-turn, queue=RUNS, lock=lock, run_id=run_id)


@attrs.frozen(kw_only=True)
class WorkflowRunner:
    """Executes runs.

    Attributes:
        objects: Object store with the bytes of files.
        storage_bytes: How much an organisation may store.
    """

    stores: Stores
    objects: Objects
    clock: Clock
    storage_bytes: int

    async def run(self, run_id: str) -> None:
        """Execute a run, unless it has ended.

        Raises:
            BeingRunElsewhere: Another worker is executing it.
            Exception: An internal error, to be retried; after the fifth the run fails.
        """
        async with self._claimed(run_id):
            started = await self._one("start", id=run_id, now=self.clock.now())
            if started is None:
                return
            with structlog.contextvars.bound_contextvars(run_id=run_id, request_id=started["request_id"]):
                await self._do(started)

    async def _do(self, started: Mapping[str, Any]) -> None:
        definition = WORKFLOWS[started["workflow"]]
        try:
            run = self._allowed(started, definition)
            await run.report(0.0)  # it may have been cancelled between two attempts
            await definition.work(run)
            await self._note(started)
        except RunCancelled:
            await self._end(started, "cancelled", None)
        except RunFailed as error:
            await self._end(started, "failed", error.as_error())
        except Exception as error:
            _log.exception("run_interrupted")
            if _is_full(error):
                await self._end(started, "failed", {"message": _FULL, "details": []})
                return
            counted = await self._one("count_failure", id=started["id"])
            if counted is None or counted["failures"] < MAX_FAILURES:
                raise
            message = f"Something went wrong on our side. Quote request {started['request_id']} to support."
            await self._end(started, "failed", {"message": message, "details": []})

    def _allowed(self, started: Mapping[str, Any], definition: Definition) -> Run:
        """Return the run for its work, if its owner and its credential still have the permissions."""
        role: Role | None = started["role"]
        if role is None:  # deleted, inactive or revoked
            raise not_allowed()
        scopes = effective(started["scopes"], role, spec.load().scopes)
        if not all(allows(scopes, scope) for scope in definition.scopes):
            raise not_allowed()
        return Run(
            id=started["id"],
            organisation_id=started["organisation_id"],
            owner_id=started["owner_id"],
            role=role,
            scopes=scopes,
            input=started["input"],
            stores=self.stores,
            objects=self.objects,
            storage_bytes=self.storage_bytes,
            clock=self.clock,
        )

    async def _end(self, started: Mapping[str, Any], status: str, error: Mapping[str, Any] | None) -> None:
        _log.info("run_ended", status=status)
        stored = None if error is None else Jsonb(error)
        async with self.stores.postgres.connection() as connection:
            parameters = {"id": started["id"], "status": status, "error": stored, "now": self.clock.now()}
            await connection.execute(_QUERIES["end"], parameters)
        await self._note(started)

    async def _note(self, started: Mapping[str, Any]) -> None:
        """Keep replicas that lag behind from answering a client that has seen the end of the run."""
        async with self.stores.postgres.connection() as connection:
            await self.stores.marks.note(connection, started["organisation_id"])

    async def _one(self, query: str, **parameters: Any) -> Mapping[str, Any] | None:
        async with self.stores.postgres.connection() as connection:
            return await (await connection.execute(_QUERIES[query], parameters)).fetchone()

    @contextlib.asynccontextmanager
    async def _claimed(self, run_id: str) -> AsyncGenerator[None]:
        async with self.stores.postgres.connection() as connection:
            claim = await (await connection.execute(_QUERIES["claim"], {"id": run_id})).fetchone()
            if claim is None or not claim["claimed"]:
                raise BeingRunElsewhere(run_id)
            try:
                yield
            finally:
                await connection.execute(_QUERIES["unclaim"], {"id": run_id})


def _is_full(error: Exception) -> bool:
    """Return whether a store, or the disk for temporary files, has no space left."""
    is_of_the_disk = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    return is_of_the_disk or isinstance(error, ObjectsFull | psycopg.errors.DiskFull)
