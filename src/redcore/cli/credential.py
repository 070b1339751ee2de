"""What the platform says of the credential in use: whose it is, what it may do, when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from redcore.cli.vault import API_KEY
from redcore.exceptions import PermissionError  # noqa: A004 (the contract's name)

if TYPE_CHECKING:
    from redcore import User
    from redcore.cli.state import State

SCOPES_HEADER = "X-OAuth-Scopes"
EXPIRES_HEADER = "X-Credential-Expires"


class Credential(NamedTuple):
    """One credential, without its secret."""

    kind: str
    """`API key`, `session` or `client credentials`."""
    owner: User | None
    """None if it lacks the scope `profile:read`."""
    scopes: str | None
    """Separated by spaces; None if the platform does not say."""
    expires_at: str | None
    """ISO 8601 in UTC; None if it does not expire, or if the platform does not say."""
    note: str
    """What the other fields do not say."""


def ask(state: State) -> Credential:
    """Ask the platform for the owner; the headers of its answer describe the credential.

    Raises:
        NotLoggedInError: there are no credentials.
        RedcoreError: the platform refuses them, or does not answer.
    """
    kind = kind_of(state)
    owner: User | None = None
    try:
        answer = state.client().raw.users.get_me()
        owner, headers = answer.value, answer.headers
    except PermissionError as error:  # valid, but without the scope to read its owner
        headers = error.response.headers
    scopes, seconds = headers.get(SCOPES_HEADER), headers.get(EXPIRES_HEADER)
    return Credential(kind, owner, scopes, moment(seconds), note(kind, headers, has_owner=owner is not None))


def kind_of(state: State) -> str:
    """Return what kind of credential is in use."""
    if state.credential_origin == "REDCORE_API_KEY":
        return "API key"
    if state.credential_origin is not None:
        return "client credentials"
    vault = state.vault()
    kept = None if vault is None else vault.read()
    return "API key" if kept is not None and kept.token_type == API_KEY else "session"


def note(kind: str, headers: Mapping[str, str], *, has_owner: bool) -> str:
    """Say in words what a null leaves open."""
    if headers.get(SCOPES_HEADER) is None:
        return "this platform does not say what the credential may do and when it ends"
    ends = "renewed automatically while it is used" if kind != "API key" else "does not expire"
    said = [] if headers.get(EXPIRES_HEADER) and kind == "API key" else [ends]
    return "; ".join([*said, *([] if has_owner else ["its owner is not shown without the scope profile:read"])])


def moment(seconds: str | None) -> str | None:
    """Return Unix seconds as ISO 8601 in UTC; None for what is not a number."""
    if seconds is None or not seconds.isdecimal():
        return None
    return datetime.fromtimestamp(int(seconds), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
