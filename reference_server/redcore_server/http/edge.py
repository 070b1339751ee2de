"""The edge of a service: turns an app's exceptions, and its timeouts, into responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from redcore_server.errors import ServiceUnavailable
from redcore_server.http import render_error
from redcore_server.http.context import REFUSAL, REQUEST_ID
from redcore_server.http.deadline import Deadline

_log = structlog.stdlib.get_logger("redcore_server.http")


Respond = Callable[[Scope, Exception, str], Response]


def _respond(_: Scope, error: Exception, request_id: str) -> Response:
    return render_error.respond(error, request_id)


async def answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send, respond: Respond = _respond) -> None:
    """Call an app, and answer in its place if the request is not valid HTTP, the app raises or it takes too long.

    Args:
        app: The ASGI app.
        scope: ASGI scope of the request, with its request id.
        respond: Turns an exception of the app and the request id into a response.

    Raises:
        Exception: The response had started, so only closing the connection can signal the error.
    """
    request_id = REQUEST_ID.of(scope)

    async def give_up() -> None:
        await respond(scope, ServiceUnavailable(), request_id)(scope, receive, send)

    deadline = Deadline(send, give_up)
    try:
        _raise_refusal(scope)
        await app(scope, deadline.receiving(_valid(scope, receive)), deadline.send)
    except asyncio.CancelledError as error:
        if not deadline.has_passed:
            raise
        _log.error("no answer in time", request_id=request_id, exc_info=error)
        if deadline.is_cancelled_by_others():
            raise
    except Exception as error:
        response = respond(scope, error, request_id)
        if deadline.has_begun:
            raise
        await response(scope, receive, deadline.send)
    finally:
        deadline.stop()
        await deadline.answered()


def _valid(scope: Scope, receive: Receive) -> Receive:
    async def receiving() -> Message:
        message = await receive()
        _raise_refusal(scope)
        return message

    return receiving


def _raise_refusal(scope: Scope) -> None:
    if refusal := REFUSAL.find(scope):
        raise refusal
