"""The job that ends the grants of removed owners and applications.

A removal ends the grants at once; this job covers a process that is killed between its commit and that step. It decides
by the data committed when it runs, so a late run is harmless: a reactivated user keeps the new tokens (the old ones
were ended at the reactivation).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import attrs

from redcore_server.store.jobs import defer
from redcore_server.store.postgres import AsyncPool, AsyncPostgres, queries

TASK: Final = "end_grants"
_URGENT: Final = 1  # before mail
_QUERIES: Final = queries("revocations")


async def defer_revocation(
    connection: AsyncPostgres, *, user_id: str | None = None, client_ids: Iterable[str] = ()
) -> None:
    """Schedule the end of grants, if and only if the caller's transaction commits.

    Args:
        connection: Connection with an open transaction, in which the user or the applications were removed.
        user_id: User whose grants end, for any application.
        client_ids: Applications whose grants end, for any user.
    """
    await defer(connection, TASK, priority=_URGENT, user_id=user_id, client_ids=list(client_ids))


@attrs.frozen(kw_only=True)
class GrantEnder:
    """Ends grants of deleted or inactive users and applications.

    Attributes:
        postgres: PostgreSQL with users and applications.
        revoke_user: Ends the grants of a user.
        revoke_client: Ends the grants of an application.
    """

    postgres: AsyncPool
    revoke_user: Callable[[str], Awaitable[object]]
    revoke_client: Callable[[str], Awaitable[object]]

    async def end(self, user_id: str | None, client_ids: list[str]) -> None:
        """Run the job of `defer_revocation`."""
        async with self.postgres.connection() as connection, connection.transaction():
            if user_id is not None and not await _is_active(connection, "active_user", user_id):
                await self.revoke_user(user_id)
            for client_id in client_ids:
                if not await _is_active(connection, "active_application", client_id):
                    await self.revoke_client(client_id)


async def _is_active(connection: AsyncPostgres, query: str, identifier: str) -> bool:
    return await (await connection.execute(_QUERIES[query], {"id": identifier})).fetchone() is not None
