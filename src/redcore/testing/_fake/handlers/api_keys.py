"""API keys of the organisation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from redcore.testing._fake.call import Call, Handler, Reply
from redcore.testing._fake.contract import invalid
from redcore.testing._fake.paging import page
from redcore.testing._fake.problem import not_found, rule


def api_keys_list(call: Call) -> Reply:
    """One page of the keys, without the keys themselves."""
    return page(call, call.state.api_keys.values())


def api_keys_create(call: Call) -> Reply:
    """Create a key for the owner of the caller's credential."""
    key = f"rk_{call.body.get('mode', 'live')}_{secrets.token_urlsafe(32)}"
    row = call.state.add_api_key(
        key,
        owner_id=call.caller.user_id,
        name=call.body["name"],
        mode=call.body.get("mode", "live"),
        scopes=sorted(call.body["scopes"]),
        expires_at=end_of(call),
    )
    return Reply(data={**row, "key": key}, location=f"/v1/api-keys/{row['id']}")


def api_keys_revoke(call: Call) -> Reply:
    """End a key at once."""
    key_id = call.path["key_id"]
    if key_id not in call.state.api_keys:
        raise not_found("API key", key_id)
    del call.state.api_keys[key_id]
    call.state.keys = {key: id_ for key, id_ in call.state.keys.items() if id_ != key_id}
    return Reply()


def end_of(call: Call) -> str | None:
    """When a new key ends; None is never."""
    if call.body.get("expires_at") is None:
        return None
    try:
        end = datetime.fromisoformat(call.body["expires_at"].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid([("expires_at", "must be a time from year 1 to 9999, without leap seconds")]) from None
    if end.timestamp() <= call.state.now():
        raise rule("expires_at must lie in the future.")
    return call.state.moment_at(end.timestamp())


HANDLERS: Mapping[str, Handler] = {
    "api_keys_list": api_keys_list,
    "api_keys_create": api_keys_create,
    "api_keys_revoke": api_keys_revoke,
}
