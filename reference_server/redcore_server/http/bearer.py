"""The bearer token of a request (RFC 6750)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

from redcore_server.errors import InvalidToken, TokenMissing

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1


def bearer_token(scope: Scope) -> str:
    """Return the bearer token of a request.

    Raises:
        TokenMissing: The request has no `Authorization` header.
        InvalidToken: The header does not hold a bearer token.
    """
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    values = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
    if not values:
        raise TokenMissing
    scheme, _, token = values[0].partition(" ")
    token = token.lstrip(" ")  # RFC 9110 section 11.4: 1*SP
    if len(values) > 1 or scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise InvalidToken("Send one Authorization header: Bearer and the access token or API key.")
    return token
