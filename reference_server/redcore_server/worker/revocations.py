"""The job that ends grants which their owner or application no longer entitles to anything.

Whoever removes one ends its grants at once; this is for the process that is killed between its commit and that. It
decides by what is committed when it runs, so it is harmless when it comes late: somebody who is active again
keeps the new tokens (the old ones were ended on the way back).
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
    """Have grants ended once the caller's transaction is committed, and never if it is not.

    Args:
        connection: With an open transaction, in which the user or the applications were removed.
        user_id: Whose grants end, whatever the application.
        client_ids: The applications whose grants end, whoever the user.
    """
    await defer(connection, TASK, priority=_URGENT, user_id=user_id, client_ids=list(client_ids))


@attrs.frozen(kw_only=True)
class GrantEnder:
    """Ends grants of users and applications that are gone or not active.

    Attributes:
        postgres: Where they would be.
        revoke_user: Ends the grants of a user.
        revoke_client: Ends the grants of an application.
    """

    postgres: AsyncPool
    revoke_user: Callable[[str], Awaitable[object]]
    revoke_client: Callable[[str], Awaitable[object]]

    async def end(self, user_id: str | None, client_ids: list[str]) -> None:
        """Do what `defer_revocation` asked for."""
        async with self.postgres.connection() as connection, connection.transaction():
            if user_id is not None and not await _is_active(connection, "active_user", user_id):
                await self.revoke_user(user_id)
            for client_id in client_ids:
                if not await _is_active(connection, "active_application", client_id):
                    await self.revoke_client(client_id)


async def _is_active(connection: AsyncPostgres, query: str, identifier: str) -> bool:
    return await (await connection.execute(_QUERIES[query], {"id": identifier})).fetchone() is not None
