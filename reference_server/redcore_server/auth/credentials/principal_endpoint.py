"""Tells a gateway in another process whom a bearer token belongs to. No gateway passes requests on to this address."""

from __future__ import annotations

from typing import Final

import attrs
import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from redcore_server.auth.credentials.principal import Verifier
from redcore_server.errors import MethodNotAllowed
from redcore_server.http.bearer import bearer_token

PATH: Final = "/internal/principal"


@attrs.frozen
class PrincipalEndpoint:
    """An ASGI app; it tells nothing that the holder of the token could not find out.

    Attributes:
        verifier: Verifies bearer tokens.
    """

    verifier: Verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the principal.

        Raises:
            MethodNotAllowed: It is not a POST.
            InvalidToken: With its subclasses, see `Verifier`.
            ServiceUnavailable: A store that must be asked does not answer.
        """
        if scope["method"] != "POST":
            raise MethodNotAllowed(["POST"])
        principal = await self.verifier.verify(bearer_token(scope))
        told = attrs.asdict(principal) | {"scopes": sorted(principal.scopes)}
        await Response(orjson.dumps(told), media_type="application/json")(scope, receive, send)
