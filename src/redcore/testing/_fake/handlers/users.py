"""Users and their invitations."""

from __future__ import annotations

from collections.abc import Mapping

from redcore.testing._fake.call import Call, Handler, Reply, public
from redcore.testing._fake.paging import page
from redcore.testing._fake.problem import Problem, not_found, rule
from redcore.testing._fake.state import Row, contains, folded
from redcore.testing._fake.tokens import end_credentials

HOUR_S, DAY_S = 3600.0, 86400.0  # of the limits below
INVITATIONS = ((HOUR_S, 5), (DAY_S, 10))  # contract section 5: at most so many to one address
RANKS = ("viewer", "editor", "admin")


def users_list(call: Call) -> Reply:
    """One page of the organisation's users."""
    wanted = [
        user
        for user in call.state.users.values()
        if all(call.query[name] in {None, user[name]} for name in ("role", "status"))
        and contains(user, ("name", "email"), call.query["q"])
    ]
    return page(call, wanted)


def users_get(call: Call) -> Reply:
    """A user."""
    return Reply(data=public(found(call)))


def users_get_me(call: Call) -> Reply:
    """The owner of the credential."""
    return Reply(data=public(call.state.users[call.caller.user_id]))


def users_update_me(call: Call) -> Reply:
    """Change what is given of the owner of the credential."""
    user = call.state.users[call.caller.user_id]
    return Reply(data=public(call.state.change(user, call.body) if call.body else user))


def users_create(call: Call) -> Reply:
    """Create a user and mail the invitation."""
    role = call.body.get("role", "viewer")
    require_appointment(call, role)
    require_free(call, call.body["email"])
    spend_invitation(call, call.body["email"])
    user = call.state.add_user(call.body["email"], call.body["name"], role, "pending_invite")
    data = public(user)
    call.state.invite(user)
    return Reply(data=data, location=f"/v1/users/{user['id']}")


def users_update(call: Call) -> Reply:
    """Change what is given; `inactive` and a lower role end the user's tokens."""
    user, changes = found(call), call.body
    if changes.keys() & {"role", "status", "email"}:
        require_appointment(call, user["role"], {**user, **changes}["role"])
    if changes.get("status") == "inactive" or changes.get("role", "admin") != "admin":
        keep_an_admin(call, user)
    if changes.get("status") == "active" and not user["_accepted"]:
        raise rule("A user becomes active by accepting the invitation; send it again instead.")
    is_moved = "email" in changes and folded(changes["email"]) != folded(user["email"])
    if is_moved:
        require_free(call, changes["email"])
    if is_moved and changes.get("status", user["status"]) == "pending_invite":
        spend_invitation(call, changes["email"])
    before = dict(user)
    if changes:
        call.state.change(user, changes)
    data = public(user)
    if user["status"] == "inactive" or RANKS.index(user["role"]) < RANKS.index(before["role"]):
        end_credentials(call.state, user["id"])
    elif is_moved and user["status"] == "pending_invite":
        call.state.invite(user)
    return Reply(data=data)


def users_delete(call: Call) -> Reply:
    """Delete a user with its credentials."""
    user = found(call)
    require_appointment(call, user["role"])
    keep_an_admin(call, user)
    end_credentials(call.state, user["id"])
    del call.state.users[user["id"]]
    return Reply()


def users_resend_invitation(call: Call) -> Reply:
    """Mail a new link."""
    user = found(call)
    require_appointment(call, user["role"])
    if user["status"] == "active":
        raise rule("An active user cannot be invited again.")
    spend_invitation(call, user["email"])
    data = public(user)
    call.state.invite(user)
    return Reply(data=data, location=f"/v1/users/{user['id']}")


def found(call: Call) -> Row:
    """The user of the path."""
    user = call.state.users.get(call.path["user_id"])
    if user is None:
        raise not_found("User", call.path["user_id"])
    return user


def require_appointment(call: Call, *roles: str) -> None:
    """Refuse a caller that may not give roles, or change people who have them (contract section 5)."""
    if "admin" in roles:
        call.caller.require("admin")


def require_free(call: Call, email: str) -> None:
    """Refuse an e-mail that another user has, in any case and any Unicode form."""
    if any(folded(user["email"]) == folded(email) for user in call.state.users.values()):
        raise Problem("DUPLICATE_RESOURCE", f"A user with the e-mail {email} exists already.")


def keep_an_admin(call: Call, user: Row) -> None:
    """Refuse to take the organisation's last active administrator away."""
    admins = [u["id"] for u in call.state.users.values() if (u["role"], u["status"]) == ("admin", "active")]
    if admins == [user["id"]]:
        raise rule("This is the organisation's last active administrator; appoint another one first.")


def spend_invitation(call: Call, email: str) -> None:
    """Count an invitation, unless there were too many to this address."""
    now = call.state.now()
    times = call.state.invitations.setdefault(folded(email), [])
    for span_s, most in INVITATIONS:
        recent = [moment for moment in times if moment > now - span_s]
        if len(recent) >= most:
            again = call.state.moment_at(recent[-most] + span_s)
            raise rule(f"This address was invited too often; it may be invited again after {again}.")
    times.append(now)


HANDLERS: Mapping[str, Handler] = {
    "users_list": users_list,
    "users_get": users_get,
    "users_get_me": users_get_me,
    "users_update_me": users_update_me,
    "users_create": users_create,
    "users_update": users_update,
    "users_delete": users_delete,
    "users_resend_invitation": users_resend_invitation,
}
