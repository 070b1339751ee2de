"""The access log: one line for each request, with no secret in it.

A line has the path without its query, for codes and tokens travel there, and never a header. A path that is itself a
secret, or somebody's mistake, is cut.
"""

from __future__ import annotations

import re
from typing import Final

import structlog
from starlette.types import Scope

from redcore_server.http.addresses import counted_address
from redcore_server.http.exchange import Exchange

_SECRETS: Final = re.compile(
    r"(?<=/oauth/invitations/).+"  # whoever has the link can set the password
    r"|rk_(?:live|test)_\w+"  # an API key where its id should be
    r"|eyJ[\w-]{8,}\.[\w.-]*"  # an access token, likewise
)
_log = structlog.stdlib.get_logger("redcore_server.access")


def log_request(scope: Scope, exchange: Exchange, *, credential_id: str | None = None) -> None:
    """Write the line of an answered request.

    Args:
        scope: ASGI scope of the request.
        exchange: Which has ended.
        credential_id: Whose request it is; None for a request without a valid credential.
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
    """Return a path fit for the log.

    Args:
        path: Without the query.
    """
    return _SECRETS.sub("…", path)
