"""Signs invitation links for the worker, and reads them for the auth service.

A link is derived from its invitation and never stored: each attempt to send it creates the same link. The reader of a
link checks in PostgreSQL whether the invitation is still valid.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime
from typing import Final

from redcore_server.store.postgres import AsyncPostgres, queries

_FORM: Final = re.compile(r"(inv_[0-9A-Za-z]+)\.([0-9]{1,11})\.[0-9A-Za-z_-]+", re.ASCII)
_SECRET: Final = "invitation_link_secret"  # noqa: S105 - the name of the row
_QUERIES: Final = queries("invitation_mail")


def invitation_token(invitation_id: str, *, expires_at: datetime, secret: str) -> str:
    """Return `id.expiry.signature` (HMAC-SHA256), safe in a URL.

    Args:
        invitation_id: Invitation id, `inv_…`.
        expires_at: Expiry of the link, in whole seconds.
        secret: The key, `link_secret`.
    """
    signed = f"{invitation_id}.{int(expires_at.timestamp())}"
    signature = hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def invitation_of(token: str, *, secret: str) -> str | None:
    """Return the invitation id of a token, or None if the token is not ours.

    Args:
        token: The presented token; may be any text.
        secret: The key, `link_secret`.
    """
    match = _FORM.fullmatch(token)
    if match is None:
        return None
    expires_at = datetime.fromtimestamp(int(match[2]), UTC)
    genuine = invitation_token(match[1], expires_at=expires_at, secret=secret)
    return match[1] if hmac.compare_digest(token, genuine) else None


async def link_secret(connection: AsyncPostgres) -> str:
    """Return the key that signs links, created on first use."""
    parameters = {"name": _SECRET, "value": secrets.token_urlsafe(32)}
    await connection.execute(_QUERIES["make_secret"], parameters)
    row = await (await connection.execute(_QUERIES["secret"], parameters)).fetchone()
    assert row is not None  # noqa: S101 - written by the statement above
    return str(row["value"])
