"""Handles the form requests of the OAuth endpoints; answers in JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import orjson
from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import Response

from redcore_server.auth.oauth import greenlets
from redcore_server.auth.oauth.forms import read_form
from redcore_server.auth.oauth.server import FormRequest, Reply, refusal
from redcore_server.auth.routes import Handler


def answering(answer: Callable[[FormRequest], Reply]) -> Handler:
    """Return a handler that reads the form and runs Authlib on it, in a greenlet.

    Args:
        answer: One of the server's methods.
    """

    async def handle(request: Request) -> Response:
        authorization = request.headers.get("Authorization")
        try:
            form = await read_form(request)
        except OAuth2Error as error:
            return _response(refusal(error))
        return _response(await greenlets.run(partial(answer, FormRequest(request.url.path, authorization, form))))

    return handle


def _response(reply: Reply) -> Response:
    body = orjson.dumps(reply.body) if reply.body else b""
    response = Response(body, reply.status)
    response.headers.update(dict(reply.headers))
    return response
