"""The access log: one line for each request, with no secret in it.

A line contains the path without its query, which may carry codes and tokens, and never a header. A path that contains a
secret, by design or by mistake, is redacted.
"""

from __future__ import annotations

import re
from typing import Final

import structlog
from starlette.types import Scope

from redcore_server.http.addresses import counted_address
from redcore_server.http.exchange import Exchange

_SECRETS: Final = re.compile(
    r"(?<=/oauth/invitations/).+"  # the link allows setting the password
    r"|rk_(?:live|test)_\w+|rcs_\w+"  # an API key or a client secret sent in place of its id
    r"|(?:eyJ|grt_)[\w.-]{8,}",  # a token sent in place of an id, whole or not
    re.DOTALL,  # a mail program may break the link
)
_log = structlog.stdlib.get_logger("redcore_server.access")


def log_request(scope: Scope, exchange: Exchange, *, credential_id: str | None = None) -> None:
    """Write the log line of a finished request.

    Args:
        exchange: The finished exchange.
        credential_id: Id of the credential; None for a request without a valid one.
    """
    _log.info(
        "request",
        method=scope["method"],
        path=without_secrets(scope["path"]),
        status=exchange.status,
        duration_ms=round(exchange.duration_s * 1000, 2),
        request_id=exchange.request_id,
        credential_id=credential_id,
        client=counted_address(scope),
    )


def without_secrets(path: str) -> str:
    """Return a path with secrets redacted.

    Args:
        path: Path without the query.
    """
    return _SECRETS.sub("…", path)
