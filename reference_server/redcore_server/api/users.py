"""Users and their invitations.

A new user is `pending_invite`; accepting the invitation makes it `active`, an administrator makes it `inactive` and
active again. The row and the job that mails the invitation are written in one transaction. The worker sends the mail,
and the auth service serves the page that accepts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg

from redcore_server.api import listing
from redcore_server.api.authority import require_appointment
from redcore_server.api.handler import Call, Handler, Reply, Row
from redcore_server.api.revocation import end_before_return, end_tokens, end_user
from redcore_server.auth.people.person import email_key
from redcore_server.auth.people.role import is_demotion
from redcore_server.errors import Duplicate, InsufficientScope, NotFound, RuleViolation
from redcore_server.ids import new_id
from redcore_server.invitations.job import INVITATION_LIFETIME, defer_invitation
from redcore_server.invitations.limit import spend_invitation
from redcore_server.store.postgres import queries

_QUERIES: Final = queries("users")
_SCOPE: Final = "users:write"
_GUARDED: Final = frozenset({"role", "status", "email"})  # what authority depends on


async def users_list(call: Call) -> Reply:
    """Return one page of the organisation's users."""
    return await listing.page(call, _QUERIES["matching"])


async def users_get(call: Call) -> Reply:
    """Return a user."""
    return Reply(data=await call.found("User", _QUERIES["get"], call.path["user_id"]))


async def users_get_me(call: Call) -> Reply:
    """Return the owner of the credential."""
    return Reply(data=await call.found("User", _QUERIES["get"], call.principal.owner_id))


async def users_create(call: Call) -> Reply:
    """Create a user and write the job that mails the invitation."""
    user: dict[str, Any] = {
        "role": "viewer",
        **call.body,
        "id": new_id("usr"),
        "email_key": email_key(call.body["email"]),
    }
    require_appointment(call.principal, user["role"])
    try:
        row = await call.one(_QUERIES["add"], **user, appointed_by=call.principal.owner_id)
    except psycopg.errors.UniqueViolation as error:
        raise _taken(user["email"]) from error
    await _invite(call, user["id"], user["email_key"])
    return Reply(data=row, status=201, location=_location(user["id"]))


async def users_update(call: Call) -> Reply:
    """Change the given fields; `inactive` locks the user out immediately, and a lower role ends the user's tokens."""
    user_id, changes = call.path["user_id"], call.body
    _require_authority(call, await _found(call, "get", user_id))
    if changes.keys() & _GUARDED:
        admins = await _admins(call)
        if changes.get("status") == "inactive" or changes.get("role", "admin") != "admin":
            _keep_an_admin(admins, user_id)
    before = await _found(call, "lock", user_id)
    _require_authority(call, before)  # check again: another request may have been faster
    if changes.get("status") == "active" and before["accepted_at"] is None:
        raise RuleViolation("A user becomes active by accepting the invitation; send it again instead.")
    after = await _changed(call, user_id, changes)
    await _follow_up(call, before, after)
    return Reply(data=_public(after))


async def users_update_me(call: Call) -> Reply:
    """Change the given fields of the owner of the credential."""
    user = await _changed(call, call.principal.owner_id, call.body)
    return Reply(data=_public(user))


async def users_delete(call: Call) -> Reply:
    """Delete a user with its credentials."""
    user_id = call.path["user_id"]
    require_appointment(call.principal, (await _found(call, "get", user_id))["role"])
    _keep_an_admin(await _admins(call), user_id)
    user = await _found(call, "lock", user_id)
    require_appointment(call.principal, user["role"])  # check again: another request may have been faster
    await end_user(call, user_id)
    await _found(call, "delete", user_id)
    return Reply(status=204)


async def users_resend_invitation(call: Call) -> Reply:
    """Invalidate the links already sent and mail a new one."""
    user_id = call.path["user_id"]
    user = await _found(call, "lock", user_id)
    require_appointment(call.principal, user["role"])
    if user["status"] == "active":
        raise RuleViolation("An active user cannot be invited again.")
    await call.run(_QUERIES["appoint"], id=user_id, appointed_by=call.principal.owner_id)
    await _invite(call, user_id, user["email_key"])
    return Reply(data=_public(user), status=202, location=_location(user_id))


async def _follow_up(call: Call, before: Row, after: Row) -> None:
    """Apply the consequences of a change to a user."""
    user_id = after["id"]
    if after["status"] == "inactive":
        await _lock_out(call, user_id)
        return
    if is_demotion(before["role"], after["role"]):
        await end_tokens(call, user_id, after["role"])
    if after["status"] == "active" and before["status"] != "active":
        await end_before_return(call, user_id)
    if after["status"] == "pending_invite" and after["email_key"] != before["email_key"]:
        # The existing link went to an address that is no longer the user's.
        await _invite(call, user_id, after["email_key"])


def _require_authority(call: Call, user: Row) -> None:
    """Reject changes to a user that only an administrator may make."""
    if call.body.keys() & _GUARDED:
        require_appointment(call.principal, user["role"], call.body.get("role", user["role"]))


async def _found(call: Call, query: str, user_id: str, **parameters: Any) -> Row:
    row = await call.one(_QUERIES[query], id=user_id, **parameters)
    if row is None:
        raise NotFound.named("User", user_id)
    return row


async def _changed(call: Call, user_id: str, changes: Mapping[str, Any]) -> Row:
    if not changes:
        return await _found(call, "lock", user_id)
    absent: Row = {"email": None, "email_key": None, "name": None, "role": None, "status": None, "appointed_by": None}
    given = {**absent, **changes}
    if "role" in changes:
        given["appointed_by"] = call.principal.owner_id
    if "email" in changes:
        given["email_key"] = email_key(changes["email"])
    try:
        return await _found(call, "update", user_id, **given)
    except psycopg.errors.UniqueViolation as error:
        raise _taken(changes["email"]) from error


async def _admins(call: Call) -> list[str]:
    """Return the active administrators, locked; reject a caller whose owner is no longer one of them.

    Only an administrator's credentials have the scope of these changes. Of two at once, the second waits here for the
    first and sees its effect, so that no one undoes their own demotion, or acts after it.
    """
    admins = await call.all(
        _QUERIES["lock_active_admins"], owner_id=call.principal.owner_id, client_id=call.principal.client_id
    )
    if not all(any(admin[answers] for admin in admins) for answers in ("is_owner", "is_of_application")):
        raise InsufficientScope(_SCOPE)
    return [admin["id"] for admin in admins]


def _keep_an_admin(admins: Sequence[str], user_id: str) -> None:
    """Reject removing the last active administrator of an organisation."""
    if admins == [user_id]:
        raise RuleViolation("This is the organisation's last active administrator; appoint another one first.")


async def _lock_out(call: Call, user_id: str) -> None:
    await call.run(_QUERIES["void_invitations"], user_id=user_id)
    await end_user(call, user_id)


async def _invite(call: Call, user_id: str, key: str) -> None:
    organisation_id = call.principal.organisation_id
    recent = await spend_invitation(call.connection, organisation_id=organisation_id, email_key=key, now=call.now)
    invitation_id = new_id("inv")
    await call.run(_QUERIES["void_invitations"], user_id=user_id)
    await call.run(
        _QUERIES["add_invitation"],
        id=invitation_id,
        user_id=user_id,
        expires_at=call.now + INVITATION_LIFETIME,
    )
    await defer_invitation(call.connection, invitation_id=invitation_id, recent=recent)


def _public(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"email_key", "accepted_at"}}


def _location(user_id: str) -> str:
    return f"/v1/users/{user_id}"


def _taken(email: str) -> Duplicate:
    return Duplicate(f"A user with the e-mail {email} exists already.")


HANDLERS: Final[Mapping[str, Handler]] = {
    "users_list": users_list,
    "users_get": users_get,
    "users_get_me": users_get_me,
    "users_create": users_create,
    "users_update": users_update,
    "users_update_me": users_update_me,
    "users_delete": users_delete,
    "users_resend_invitation": users_resend_invitation,
}
