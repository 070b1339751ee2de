"""Allows configured origins to call the platform from a browser (CORS, Fetch section 3.3).

Only programmatic endpoints are shared, not the pages for people and not the outbox. Credentials mode is off: a call
carries its token itself, and no cookie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_SHARED: Final = ("/v1/", "/.well-known/", "/static/", "/oauth/token", "/oauth/revoke", "/oauth/device_authorization")
_METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "DELETE")
_EXPOSED: Final = (  # in addition to the few that browsers always expose
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
_MAX_AGE_S: Final = 600  # for which a browser may remember the answer: as long as WebKit does at the most


def shared_with(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Return the app with CORS for these origins; without origins, the app itself.

    Args:
        origins: Allowed origins; `*` for any.
        app: App that also renders errors: browsers hide an error without CORS headers from the page.
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
