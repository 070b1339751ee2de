"""Lets pages of other origins call the platform from a browser where a setting allows it (CORS, Fetch section 3.3).

Only what programs call is shared; the pages that people see, and the outbox, are not. Nothing is shared with
credentials: a call carries its token itself, and no cookie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_SHARED: Final = ("/v1/", "/.well-known/", "/static/", "/oauth/token", "/oauth/revoke", "/oauth/device_authorization")
_METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "DELETE")
_EXPOSED: Final = (  # beside the few that browsers show anyway
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
)
_MAX_AGE_S: Final = 600


def shared_with(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Return the app as pages of some origins may call it; the same where there are none.

    Args:
        origins: Of the pages; `*` for any.
        app: What answers, errors too: one without the headers of CORS would be hidden from the page.
    """
    if not origins:
        return app
    shared = CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=["*"],
        expose_headers=_EXPOSED,
        max_age=_MAX_AGE_S,
    )

    async def choosing(scope: Scope, receive: Receive, send: Send) -> None:
        await (shared if scope["path"].startswith(_SHARED) else app)(scope, receive, send)

    return choosing
