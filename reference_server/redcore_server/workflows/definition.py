"""The definition of a workflow, and the context of its work."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import attrs
from psycopg.types.json import Jsonb

from redcore_server.auth.people.role import Role, is_demotion
from redcore_server.clock import Clock
from redcore_server.contract.spec import Rule
from redcore_server.errors import Detail
from redcore_server.store import Stores
from redcore_server.store.objects import Objects
from redcore_server.store.postgres import AsyncPool, AsyncPostgres, queries
from redcore_server.store.stored_files import file_key

MAX_DETAILS: Final = 100  # problems in a result; the rest is counted
LANES: Final = 2
"""Concurrent runs of one organisation, so that no organisation takes all slots of the workers."""
_QUERIES: Final = queries("workflows")


class RunFailed(Exception):  # noqa: N818 - a state
    """The run cannot succeed even if retried; the message is for the user who started it."""

    def __init__(self, message: str, details: Iterable[Detail] = ()) -> None:
        """State the reason.

        Args:
            message: Human-readable message.
            details: Problems of single rows; the first hundred are stored.
        """
        super().__init__(message)
        self.message = message
        self.details = list(details)[:MAX_DETAILS]

    def as_error(self) -> Mapping[str, Any]:
        """Return the `error` of the run."""
        return {"message": self.message, "details": [attrs.asdict(detail) for detail in self.details]}


class RunCancelled(Exception):  # noqa: N818 - a state
    """The run was cancelled or deleted."""


@attrs.frozen(kw_only=True)
class Run:
    """One run, as seen by its work.

    Attributes:
        id: `wfr_…`.
        organisation_id: Organisation whose data it uses.
        owner_id: User on whose behalf it runs.
        role: Role when this attempt started: the lower one of its owner and of the owner of the application.
        scopes: What the run may do: the scopes of the credential that started it, limited to the role.
        input: Input, validated by the definition's schema.
        stores: Opened stores with the data.
        objects: Object store with the bytes of files.
        storage_bytes: Storage quota of an organisation, in bytes.
    """

    id: str
    organisation_id: str
    owner_id: str
    role: Role
    scopes: frozenset[str]
    input: Mapping[str, Any]
    stores: Stores
    objects: Objects
    storage_bytes: int
    clock: Clock

    @property
    def postgres(self) -> AsyncPool:
        """The primary."""
        return self.stores.postgres

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncPostgres]:
        """Yield a connection for large reads, in one transaction: to the replica, if it is up to date."""
        async with contextlib.AsyncExitStack() as stack:
            connection: AsyncPostgres | None = None
            if self.stores.replica is not None:
                connection = await stack.enter_async_context(self.stores.replica.lend(self.organisation_id))
            if connection is None:
                connection = await stack.enter_async_context(self.postgres.connection())
            await stack.enter_async_context(connection.transaction())
            yield connection

    async def report(self, progress: float) -> None:
        """Report the progress at the end of a step.

        Args:
            progress: From 0 to 1.

        Raises:
            RunCancelled: The run must stop here.
            RunFailed: Its owner, or the credential that started it, no longer has the required permissions.
        """
        async with self.postgres.connection() as connection:
            cursor = await connection.execute(_QUERIES["report"], {"id": self.id, "progress": min(progress, 1.0)})
            row = await cursor.fetchone()
            await self.stores.marks.note(connection, self.organisation_id)
        if row is None or row["is_cancelled"]:
            raise RunCancelled
        self._require_authority(row["role"])

    async def succeed(self, connection: AsyncPostgres, result: Mapping[str, Any]) -> None:
        """Mark the run as succeeded, in the transaction of its effect: both are committed, or neither.

        Args:
            connection: Connection with an open transaction.
            result: Result of the run.

        Raises:
            RunCancelled: The run was deleted.
            RunFailed: Its owner, or the credential that started it, no longer has the required permissions.
        """
        parameters = {"id": self.id, "result": Jsonb(result), "now": self.clock.now()}
        row = await (await connection.execute(_QUERIES["succeed"], parameters)).fetchone()
        if row is None:
            raise RunCancelled
        self._require_authority(row["role"])

    def _require_authority(self, role: Role | None) -> None:
        if role is None or is_demotion(self.role, role):
            raise not_allowed()

    async def file(self, file_id: str) -> Mapping[str, Any]:
        """Return the description of a file of the organisation, and the `key` of its bytes.

        Args:
            file_id: File id from the input.

        Raises:
            RunFailed: It does not exist.
        """
        parameters = {"id": file_id, "organisation_id": self.organisation_id}
        async with self.postgres.connection() as connection:
            file = await (await connection.execute(queries("files")["get"], parameters)).fetchone()
        if file is None:
            raise RunFailed(f"File {file_id} does not exist.")
        return {**file, "key": file_key(self.organisation_id, file_id)}


def not_allowed() -> RunFailed:
    """Return the error for a run whose owner was demoted, deactivated or deleted, or whose credential was revoked."""
    return RunFailed("The person or the credential that started the run may no longer do what it does.")


@attrs.frozen(kw_only=True)
class Definition:
    """A kind of workflow.

    Attributes:
        name: Name for the API.
        description: Human-readable description.
        scopes: Scopes of the operations it performs; the caller that starts it needs all of them.
        input_schema: JSON Schema of the input.
        work: Performs the run. MUST end with `Run.succeed` in the transaction of its effect, report between its steps,
            and be idempotent if it is killed at any time and run again.
    """

    name: str
    description: str
    scopes: tuple[str, ...] = attrs.field(validator=attrs.validators.min_len(1))
    input_schema: Mapping[str, Any]
    work: Callable[[Run], Awaitable[None]]

    @cached_property
    def rule(self) -> Rule:
        """The schema, compiled on first use."""
        return Rule(self.input_schema, {})
