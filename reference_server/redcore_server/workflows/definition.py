"""What a workflow is, and what its work is given."""

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

MAX_DETAILS: Final = 100
LANES: Final = 2
"""How many runs of one organisation are done at once, so that no organisation takes all slots of the workers."""
_QUERIES: Final = queries("workflows")


class RunFailed(Exception):  # noqa: N818 - a state
    """The run cannot succeed however often it is tried; the message is for whoever started it."""

    def __init__(self, message: str, details: Iterable[Detail] = ()) -> None:
        """Say why.

        Args:
            message: Human-readable message.
            details: Problems of single rows; the first hundred are kept.
        """
        super().__init__(message)
        self.message = message
        self.details = list(details)[:MAX_DETAILS]


class RunCancelled(Exception):  # noqa: N818 - a state
    """Somebody asked to stop the run, or it is no longer there."""


@attrs.frozen(kw_only=True)
class Run:
    """One run, as the work sees it.

    Attributes:
        id: `wfr_…`.
        organisation_id: Whose data it works on.
        owner_id: On whose behalf.
        role: Of the owner, when this attempt began.
        scopes: What the run may do: those of the credential that started it, as far as the role has them.
        input: Valid by the definition's schema.
        stores: Where the data are.
        objects: Where the bytes of files are.
        storage_bytes: Storage quota of an organisation, in bytes.
        clock: Source of the current time.
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
        """Yield a connection to read much from, in one transaction: to the replica, if it has what was written."""
        async with contextlib.AsyncExitStack() as stack:
            connection: AsyncPostgres | None = None
            if self.stores.replica is not None:
                connection = await stack.enter_async_context(self.stores.replica.lend(self.organisation_id))
            if connection is None:
                connection = await stack.enter_async_context(self.postgres.connection())
            await stack.enter_async_context(connection.transaction())
            yield connection

    async def report(self, progress: float) -> None:
        """Show how much is done; the end of a step.

        Args:
            progress: From 0 to 1.

        Raises:
            RunCancelled: The run shall stop here.
            RunFailed: Its owner may no longer do what it does.
        """
        async with self.postgres.connection() as connection:
            cursor = await connection.execute(_QUERIES["report"], {"id": self.id, "progress": min(progress, 1.0)})
            row = await cursor.fetchone()
            await self.stores.marks.note(connection, self.organisation_id)
        if row is None or row["is_cancelled"]:
            raise RunCancelled
        self._require_authority(row["role"])

    async def succeed(self, connection: AsyncPostgres, result: Mapping[str, Any]) -> None:
        """End the run well, in the transaction of its effect: both are seen, or neither.

        Args:
            connection: With an open transaction.
            result: Of the run.

        Raises:
            RunCancelled: The run is no longer there.
            RunFailed: Its owner may no longer do what it does.
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
            file_id: As in the input.

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
    """Return the end of a run whose owner was demoted, made inactive or deleted."""
    return RunFailed("Whoever started the run may no longer do what it does.")


@attrs.frozen(kw_only=True)
class Definition:
    """A kind of work.

    Attributes:
        name: What to call it by.
        description: For people.
        scopes: What it does, as scopes of the operations it stands for; whoever starts it needs them all.
        input_schema: JSON Schema of the input.
        work: Does it. MUST end with `Run.succeed` in the transaction of its effect, report between its steps, and be
            harmless when it is run again after it was killed at any moment.
    """

    name: str
    description: str
    scopes: tuple[str, ...] = attrs.field(validator=attrs.validators.min_len(1))
    input_schema: Mapping[str, Any]
    work: Callable[[Run], Awaitable[None]]

    @cached_property
    def rule(self) -> Rule:
        """The schema, compiled when first used."""
        return Rule(self.input_schema, {})
