"""Revokes the grants of removed users and applications, and ends the users' runs: immediately and reliably.

Immediately: before the commit, so that nothing is written if Redis is unavailable, and again after it, for tokens
issued in between. Reliably: by a job in the same transaction, in case this process is killed between the two. API keys
and sign-in need no revocation: they read PostgreSQL each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from psycopg.types.json import Jsonb

from redcore_server.api.handler import Act, Call
from redcore_server.auth.people.role import Role
from redcore_server.store.postgres import queries
from redcore_server.store.revocation_log import Kind, defer_record
from redcore_server.worker.revocations import defer_revocation
from redcore_server.workflows.definition import not_allowed

_QUERIES: Final = queries("revocations")
_DEMOTIONS: Final[Mapping[Role, Kind]] = {"editor": "role_editor", "viewer": "role_viewer"}


async def end_user(call: Call, user_id: str) -> None:
    """End every token and run of a user and of the user's applications, which live only as long as their owner.

    Args:
        call: Call whose transaction deactivates or will delete the user.
        user_id: Id of the user.
    """
    client_ids = await _applications_of(call, user_id)
    await defer_revocation(call.connection, user_id=user_id, client_ids=client_ids)
    await defer_record(call.connection, "user", [user_id], call.now)
    await call.run(_QUERIES["end_runs"], user_id=user_id, client_ids=client_ids, error=Jsonb(not_allowed().as_error()))
    await _end_tokens(call, user_id, client_ids)


async def end_tokens(call: Call, user_id: str, role: Role) -> None:
    """End the same tokens for a user who stays active with a lower role.

    It needs no job to end them: a remaining token is limited to its owner's role at each use.

    Args:
        call: Call whose transaction lowers the role.
        user_id: Id of the user.
        role: The new role.
    """
    if kind := _DEMOTIONS.get(role):
        await defer_record(call.connection, kind, [user_id], call.now)
    await _end_tokens(call, user_id, await _applications_of(call, user_id))


async def _applications_of(call: Call, user_id: str) -> list[str]:
    return [row["id"] for row in await call.all(_QUERIES["applications_of"], owner_id=user_id)]


async def _end_tokens(call: Call, user_id: str, client_ids: list[str]) -> None:
    await _now_and_after_commit(call, partial(call.services.revoke_user, user_id))
    for client_id in client_ids:
        await _now_and_after_commit(call, partial(call.services.revoke_client, client_id))


async def end_application(call: Call, client_id: str) -> None:
    """End every token of an application, for all users.

    Args:
        call: Call whose transaction deletes the application.
        client_id: Client id of the application.
    """
    await defer_revocation(call.connection, client_ids=[client_id])
    await defer_record(call.connection, "application", [client_id], call.now)
    await _now_and_after_commit(call, partial(call.services.revoke_client, client_id))


async def end_before_return(call: Call, user_id: str) -> None:
    """End the remaining tokens of a user about to be reactivated, so that a late job does not affect the new ones.

    Args:
        call: Call whose transaction reactivates the user.
        user_id: Id of the user.
    """
    await call.services.revoke_user(user_id)
    for client_id in await _applications_of(call, user_id):
        await call.services.revoke_client(client_id)


async def _now_and_after_commit(call: Call, act: Act) -> None:
    await act()
    call.after_commit.append(act)
