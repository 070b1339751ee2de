"""Signs invitation links.

A link is derived from its invitation and never stored: each attempt to send it makes the same one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from redcore_server.store.postgres import AsyncPostgres, queries

_SECRET = "invitation_link_secret"  # noqa: S105 - the name of the row
_QUERIES = queries("invitation_mail")


def invitation_token(invitation_id: str, *, expires_at: datetime, secret: str) -> str:
    """Return `id.expiry.signature` (HMAC-SHA256), safe in a URL.

    Args:
        invitation_id: `inv_…`.
        expires_at: From when on the link is dead; whole seconds count.
        secret: The key, `link_secret`.
    """
    signed = f"{invitation_id}.{int(expires_at.timestamp())}"
    signature = hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def link_secret(connection: AsyncPostgres) -> str:
    """Return the key that signs links, made at its first use."""
    parameters = {"name": _SECRET, "value": secrets.token_urlsafe(32)}
    await connection.execute(_QUERIES["make_secret"], parameters)
    row = await (await connection.execute(_QUERIES["secret"], parameters)).fetchone()
    assert row is not None  # noqa: S101 - written a statement above
    return str(row["value"])
