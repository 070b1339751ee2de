"""OAuth clients of the organisation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from redcore.testing._fake.call import Call, Handler, Reply
from redcore.testing._fake.contract import invalid
from redcore.testing._fake.paging import page
from redcore.testing._fake.problem import not_found, rule
from redcore.testing._fake.state import Row

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def applications_list(call: Call) -> Reply:
    """One page of the applications, without their secrets."""
    return page(call, call.state.applications.values())


def applications_create(call: Call) -> Reply:
    """Register an application for the owner of the caller's credential."""
    uris = call.body.get("redirect_uris", [])
    if problems := [(f"redirect_uris.{at}", issue) for at, uri in enumerate(uris) if (issue := uri_problem(uri))]:
        raise invalid(problems)
    secret = None if call.body.get("type") == "public" else new_secret()
    row = call.state.add_application(
        secret,
        owner_id=call.caller.user_id,
        name=call.body["name"],
        scopes=sorted(call.body["scopes"]),
        redirect_uris=uris,
    )
    return Reply(data={**row, "client_secret": secret}, location=f"/v1/applications/{row['id']}")


def applications_rotate_secret(call: Call) -> Reply:
    """Make a new secret; the old one is refused at once, unlike that of the server, which stays valid for a while."""
    application = found(call)
    if application["type"] == "public":
        raise rule("A public application has no secret.")
    secret = call.state.secrets[application["id"]] = new_secret()
    return Reply(data={**application, "client_secret": secret})


def applications_delete(call: Call) -> Reply:
    """Delete an application and all its tokens."""
    application_id = found(call)["id"]
    del call.state.applications[application_id], call.state.secrets[application_id]
    call.state.tokens = {t: held for t, held in call.state.tokens.items() if held["client_id"] != application_id}
    return Reply()


def found(call: Call) -> Row:
    """The application of the path."""
    application = call.state.applications.get(call.path["application_id"])
    if application is None:
        raise not_found("Application", call.path["application_id"])
    return application


def new_secret() -> str:
    """A secret of an application."""
    return f"rcs_{secrets.token_urlsafe(32)}"


def uri_problem(uri: str) -> str | None:
    """Why people cannot be sent back to an address; None if they can."""
    parts = urlsplit(uri)
    if parts.fragment or uri.endswith("#"):
        return "must not have a fragment"
    if "@" in parts.netloc:
        return "must not have a user"
    if parts.scheme in {"https", "http"} and not parts.hostname:
        return "must name a host"
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK) or "." in parts.scheme:
        return None
    return "must be https, or http on a loopback host, or a scheme such as com.example.app"


HANDLERS: Mapping[str, Handler] = {
    "applications_list": applications_list,
    "applications_create": applications_create,
    "applications_rotate_secret": applications_rotate_secret,
    "applications_delete": applications_delete,
}
