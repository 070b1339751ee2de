"""OAuth clients of the organisation: registration, new secrets, deletion; the auth service handles their tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from redcore_server.api import listing
from redcore_server.api.authority import grantable
from redcore_server.api.handler import Call, Handler, Reply, Row
from redcore_server.api.revocation import end_application
from redcore_server.auth.credentials.applications import create_application, new_client_secret
from redcore_server.auth.secret import digest
from redcore_server.errors import Detail, NotFound, RuleViolation, ValidationFailed
from redcore_server.settings import LOOPBACK_HOSTS
from redcore_server.store.postgres import queries
from redcore_server.store.revocation_log import defer_record

_QUERIES: Final = queries("applications")


async def applications_list(call: Call) -> Reply:
    """Return one page of the applications, without their secrets."""
    return await listing.page(call, _QUERIES["matching"])


async def applications_create(call: Call) -> Reply:
    """Register an application for the owner of the caller's credential; only this response shows its secret."""
    secret = None if call.body.get("type") == "public" else new_client_secret()
    row = await create_application(
        call.connection,
        organisation_id=call.principal.organisation_id,
        owner_id=call.principal.owner_id,
        name=call.body["name"],
        scopes=grantable(call.principal, call.body["scopes"]),
        redirect_uris=_usable(call.body.get("redirect_uris", [])),
        secret=secret,
        now=call.now,
    )
    return Reply(data={**row, "client_secret": secret}, status=201, location=f"/v1/applications/{row['id']}")


async def applications_rotate_secret(call: Call) -> Reply:
    """Create a new secret; the current one stays valid for a while, an older one ends now."""
    application = await _found(call, "lock")
    if application["type"] == "public":
        raise RuleViolation("A public application has no secret.")
    secret = new_client_secret()
    await call.run(
        _QUERIES["rotate_secret"],
        id=application["id"],
        secret_hash=digest(secret),
        previous_secret_ends_at=call.now + call.services.secret_overlap,
    )
    await defer_record(call.connection, "client_secret", [application["id"]], call.now)
    return Reply(data={**application, "client_secret": secret})


async def applications_delete(call: Call) -> Reply:
    """Delete an application; it and all its tokens are rejected from now on."""
    await _found(call, "delete")
    await end_application(call, call.path["application_id"])
    return Reply(status=204)


async def _found(call: Call, query: str) -> Row:
    application_id = call.path["application_id"]
    row = await call.one(_QUERIES[query], id=application_id)
    if row is None:
        raise NotFound.named("Application", application_id)
    return row


def _usable(uris: Sequence[str]) -> Sequence[str]:
    problems = [
        Detail(f"redirect_uris.{index}", problem)
        for index, uri in enumerate(uris)
        if (problem := redirect_problem(uri))
    ]
    if problems:
        raise ValidationFailed(details=problems)
    return uris


def redirect_problem(uri: str) -> str | None:
    """Return why an address is not allowed as a redirect URI; None if it is allowed.

    Args:
        uri: An absolute URI.
    """
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        parts.port  # noqa: B018 - reading the port raises if it is not a number
    except ValueError:
        return "is not a valid address"
    if parts.fragment or uri.endswith("#"):
        return "must not have a fragment"  # RFC 6749 section 3.1.2
    if "@" in parts.netloc:
        return "must not have a user"
    if parts.scheme in {"https", "http"} and not host:
        return "must name a host"
    # RFC 8252: a native app listens on the loopback interface, or owns a scheme named after a domain.
    if parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK_HOSTS) or "." in parts.scheme:
        return None
    return "must be https, or http on a loopback host, or a scheme such as com.example.app"


HANDLERS: Final[Mapping[str, Handler]] = {
    "applications_list": applications_list,
    "applications_create": applications_create,
    "applications_rotate_secret": applications_rotate_secret,
    "applications_delete": applications_delete,
}
