"""Renders errors of the auth service: OAuth JSON for programs, pages for people."""

from __future__ import annotations

from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Scope

from redcore_server.auth.pages.browser_request import problem_page
from redcore_server.errors import ApiError
from redcore_server.http.render_error import message_of, respond, status_of

_PREFIX: Final = "/oauth/"
_PAGES: Final = ("/oauth/authorize", "/oauth/device", "/oauth/invitations/", "/saml/login", "/saml/acs")
_PROGRAMS: Final = "/oauth/device_authorization"
# Codes by status. RFC 6749 section 5.2 defines only those of a 400 and a 401: `slow_down` is RFC 8628's (section 3.5),
# the other two are those of the authorization endpoint (RFC 6749 section 4.1.2.1).
_CODES: Final = {429: "slow_down", 500: "server_error", 503: "temporarily_unavailable"}
_OTHER: Final = "invalid_request"


def refuse(scope: Scope, error: Exception, request_id: str) -> Response:
    """Return the response for an exception in the auth service.

    Args:
        error: Exception raised by a handler or by the gateway.
        request_id: UUID of the request.
    """
    path: str = scope["path"]
    if path.startswith(_PAGES) and path != _PROGRAMS:
        return problem_page(error, request_id)
    if path.startswith(_PREFIX):
        return respond(error, request_id, _oauth_json)
    return respond(error, request_id)


def _oauth_json(error: ApiError, request_id: str) -> Response:
    status = status_of(error)
    body = {"error": _CODES.get(status, _OTHER), "error_description": message_of(error, request_id)}
    # RFC 6749 section 5.1: no answer of these endpoints may be cached.
    headers = {**error.headers, "Cache-Control": "no-store"}
    return Response(orjson.dumps(body), status, headers, "application/json")
