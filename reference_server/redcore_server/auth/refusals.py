"""Renders errors of the auth service: OAuth JSON for programs, pages for people."""

from __future__ import annotations

from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Scope

from redcore_server.auth.pages.browser_request import problem_page
from redcore_server.errors import RateLimited, ServiceUnavailable
from redcore_server.http.render_error import respond

PREFIXES: Final = ("/oauth/", "/saml/")
_PAGES: Final = ("/oauth/authorize", "/oauth/device", "/oauth/invitations/", "/saml/login", "/saml/acs")
_PROGRAMS: Final = "/oauth/device_authorization"
# RFC 8628 section 3.5 and RFC 6749 section 4.1.2.1; section 5.2 defines none for the token endpoint.
_CODES: Final = {429: "slow_down", 503: "temporarily_unavailable"}
_DESCRIPTIONS: Final = {429: RateLimited(1).message.partition(";")[0] + ".", 503: ServiceUnavailable.message}


def refuse(scope: Scope, error: Exception, request_id: str) -> Response:
    """Return the response for an exception in the auth service.

    Args:
        scope: ASGI scope of the request.
        error: Exception raised by a handler or by the gateway.
        request_id: UUID of the request.
    """
    path: str = scope["path"]
    if path.startswith(_PAGES) and path != _PROGRAMS:
        return problem_page(error, request_id)
    answer = respond(error, request_id)
    if not path.startswith(PREFIXES) or answer.status_code not in _CODES:
        return answer
    body = {"error": _CODES[answer.status_code], "error_description": _DESCRIPTIONS[answer.status_code]}
    headers = {name: value for name, value in answer.headers.items() if name == "retry-after"}
    return Response(orjson.dumps(body), answer.status_code, headers, "application/json")
