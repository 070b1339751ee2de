"""API keys of the organisation; to rotate one, create another and revoke the first once it is no longer used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from redcore_server.api import listing
from redcore_server.api.authority import grantable
from redcore_server.api.handler import Call, Handler, Reply
from redcore_server.auth.credentials.api_keys import create_api_key
from redcore_server.errors import Detail, NotFound, RuleViolation, ValidationFailed
from redcore_server.store.postgres import queries
from redcore_server.store.revocation_log import defer_record

_QUERIES: Final = queries("api_keys")
_SHOWN: Final = ("id", "name", "mode", "hint", "scopes", "created_at", "expires_at")


async def api_keys_list(call: Call) -> Reply:
    """Return one page of the keys that are not revoked, without the secret values."""
    return await listing.page(call, _QUERIES["matching"])


async def api_keys_create(call: Call) -> Reply:
    """Create a key for the owner of the caller's credential; only this response shows it."""
    row, key = await create_api_key(
        call.connection,
        organisation_id=call.principal.organisation_id,
        owner_id=call.principal.owner_id,
        name=call.body["name"],
        scopes=grantable(call.principal, call.body["scopes"]),
        mode=call.body.get("mode", "live"),
        now=call.now,
        expires_at=_end(call),
    )
    shown = {name: row[name] for name in _SHOWN}
    return Reply(data={**shown, "key": key}, status=201, location=f"/v1/api-keys/{row['id']}")


async def api_keys_revoke(call: Call) -> Reply:
    """Revoke a key immediately, on every node: keys are read from PostgreSQL at each request."""
    key_id = call.path["key_id"]
    if await call.one(_QUERIES["revoke"], id=key_id) is None:
        raise NotFound.named("API key", key_id)
    await defer_record(call.connection, "api_key", [key_id], call.now)
    return Reply(status=204)


def _end(call: Call) -> datetime | None:
    if call.body.get("expires_at") is None:
        return None
    try:
        end = datetime.fromisoformat(call.body["expires_at"].upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # a leap second, or a time after the year 9999
        issue = "must be a time from year 1 to 9999, without leap seconds"
        raise ValidationFailed(details=[Detail("expires_at", issue)]) from None
    if end <= call.now:
        raise RuleViolation("expires_at must lie in the future.")
    return end


HANDLERS: Final[Mapping[str, Handler]] = {
    "api_keys_list": api_keys_list,
    "api_keys_create": api_keys_create,
    "api_keys_revoke": api_keys_revoke,
}
