"""Answers forms in threads, because Authlib is sync."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread
import attrs
import orjson
from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import Response

from redcore_server.auth.forms import read_form
from redcore_server.auth.routes import Handler
from redcore_server.auth.server import FormRequest, Reply, refusal

THREADS: Final = 4
"""More would only fight for the interpreter: a token costs more CPU than it waits for the stores."""

_Result = TypeVar("_Result")


@attrs.frozen
class Threads:
    """The few threads of the auth service."""

    limiter: anyio.CapacityLimiter = attrs.field(factory=lambda: anyio.CapacityLimiter(THREADS))

    async def run(self, function: Callable[[], _Result]) -> _Result:
        """Return what a blocking function returns.

        Args:
            function: to run in a thread.
        """
        return await anyio.to_thread.run_sync(function, limiter=self.limiter)

    def handler(self, answer: Callable[[FormRequest], Reply]) -> Handler:
        """Return a handler that reads the form and lets Authlib answer it, in JSON.

        Args:
            answer: one of the server's methods.
        """

        async def handle(request: Request) -> Response:
            authorization = request.headers.get("Authorization")
            try:
                form = await read_form(request)
            except OAuth2Error as error:
                return _response(refusal(error))
            form_request = FormRequest(request.url.path, authorization, form)
            return _response(await self.run(lambda: answer(form_request)))

        return handle


def _response(reply: Reply) -> Response:
    body = orjson.dumps(reply.body) if reply.body else b""
    response = Response(body, reply.status)
    response.headers.update(dict(reply.headers))
    return response
