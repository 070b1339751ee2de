"""The access log: one line for each request, with no secret in it.

A line has the path without its query, for codes and tokens travel there, and never a header. A path that is itself a
secret, or somebody's mistake, is cut.
"""

from __future__ import annotations

import re
from typing import Final

import structlog
from starlette.types import Scope

from redcore_server.auth.credentials.principal import PRINCIPAL

_SECRETS: Final = re.compile(
    r"(?<=/oauth/invitations/).+"  # whoever has the link can set the password
    r"|rk_(?:live|test)_\w+"  # an API key where its id should be
    r"|eyJ[\w-]{8,}\.[\w.-]*"  # an access token, likewise
)
_log = structlog.stdlib.get_logger("redcore_server.gateway.access")


def log_request(scope: Scope, *, request_id: str, status: int, duration_s: float) -> None:
    """Write the line of an answered request.

    Args:
        scope: of the request, as the gateway left it.
        request_id: its UUID.
        status: of the answer.
        duration_s: from its first byte to the last of the answer.
    """
    principal = PRINCIPAL.find(scope)
    _log.info(
        "request",
        method=scope["method"],
        path=without_secrets(scope["path"]),
        status=status,
        duration_ms=round(duration_s * 1000, 2),
        request_id=request_id,
        credential_id=principal and principal.credential_id,
        client=client_address(scope),
    )


def without_secrets(path: str) -> str:
    """Return a path fit for the log.

    Args:
        path: without the query.
    """
    return _SECRETS.sub("…", path)


def client_address(scope: Scope) -> str:
    """Return the address of the client, as uvicorn knows it.

    Args:
        scope: of the request.
    """
    client = scope.get("client")
    return client[0] if client else "unknown"
