"""Verifies bearer tokens for a gateway in another process. Gateways do not forward requests to this path."""

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
    """An ASGI app; it reveals nothing that the holder of the token could not find out.

    Attributes:
        verifier: Verifies bearer tokens.
    """

    verifier: Verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Return the principal.

        Raises:
            MethodNotAllowed: The method is not POST.
            InvalidToken: Or one of its subclasses, see `Verifier`.
            ServiceUnavailable: A store needed for the check does not answer.
        """
        if scope["method"] != "POST":
            raise MethodNotAllowed(["POST"])
        principal = await self.verifier.verify(bearer_token(scope))
        shown = attrs.asdict(principal) | {"scopes": sorted(principal.scopes)}
        await Response(orjson.dumps(shown), media_type="application/json")(scope, receive, send)
