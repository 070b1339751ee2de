"""Ends what was granted to users and applications that are removed: at once, and surely.

At once: before the commit, so that nothing is written if Redis is away, and again after it, for what was issued in
between. Surely: by a job in the same transaction, should this process be killed between the two. API keys and the
sign-in itself need nothing: they ask PostgreSQL each time.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from redcore_server.api.handler import Act, Call
from redcore_server.store.postgres import queries
from redcore_server.store.revocation_log import defer_record

_QUERIES: Final = queries("revocations")


async def end_user(call: Call, user_id: str) -> None:
    """End every token of a user and of the user's applications, which are as alive as their owner.

    Args:
        call: Whose transaction makes the user inactive or is about to delete it.
        user_id: Id of the user.
    """
    client_ids = await _applications_of(call, user_id)
    await call.services.defer_revocation(call.connection, user_id=user_id, client_ids=client_ids)
    await defer_record(call.connection, "user", [user_id], call.now)
    await _end_tokens(call, user_id, client_ids)


async def end_tokens(call: Call, user_id: str) -> None:
    """End the same for a user who stays active with a lower role.

    It needs no job: a token that is left is cut to the role of its owner at each use.

    Args:
        call: Whose transaction lowers the role.
        user_id: Id of the user.
    """
    await _end_tokens(call, user_id, await _applications_of(call, user_id))


async def _applications_of(call: Call, user_id: str) -> list[str]:
    return [row["id"] for row in await call.all(_QUERIES["applications_of"], owner_id=user_id)]


async def _end_tokens(call: Call, user_id: str, client_ids: list[str]) -> None:
    await _now_and_after_commit(call, partial(call.services.revoke_user, user_id))
    for client_id in client_ids:
        await _now_and_after_commit(call, partial(call.services.revoke_client, client_id))


async def end_application(call: Call, client_id: str) -> None:
    """End every token of an application, whoever the user.

    Args:
        call: Whose transaction deletes it.
        client_id: Of the application.
    """
    await call.services.defer_revocation(call.connection, client_ids=[client_id])
    await defer_record(call.connection, "application", [client_id], call.now)
    await _now_and_after_commit(call, partial(call.services.revoke_client, client_id))


async def end_before_return(call: Call, user_id: str) -> None:
    """End what is left of a user who is about to become active again: the job, should it be late, then spares them.

    Args:
        call: Whose transaction makes the user active.
        user_id: Id of the user.
    """
    await call.services.revoke_user(user_id)
    for client_id in await _applications_of(call, user_id):
        await call.services.revoke_client(client_id)


async def _now_and_after_commit(call: Call, act: Act) -> None:
    await act()
    call.after_commit.append(act)
