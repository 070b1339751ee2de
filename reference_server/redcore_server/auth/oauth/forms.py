"""Reads the form of an OAuth request: bounded, form-encoded, each known parameter once (RFC 6749 section 3.2)."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.requests import Request

from redcore_server.errors import PayloadTooLarge

_MAX_BODY_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 50
_ONCE: Final = frozenset(  # parameters of our endpoints; others are ignored, even if repeated (RFC 6749 section 3.2)
    {
        "assertion",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "device_code",
        "grant_type",
        "redirect_uri",
        "refresh_token",
        "scope",
        "token",
        "token_type_hint",
    }
)
_FORM: Final = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """Return the parameters of the body; the query string is ignored.

    Args:
        request: Request to an OAuth endpoint.

    Raises:
        PayloadTooLarge: The body exceeds 64 KiB.
        InvalidRequestError: It is not a form, or repeats a known parameter.
    """
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidRequestError(f"The body must be {_FORM}.")
    pairs = _parsed(await _body(request))
    form = dict(pairs)
    names = [name for name, _ in pairs if name in _ONCE]
    if len(names) != len(set(names)):
        raise InvalidRequestError("A parameter occurs more than once.")
    return form


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise PayloadTooLarge(_MAX_BODY_BYTES)
    return bytes(body)


def _parsed(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        # The cause would quote the body, and with it a secret.
        raise InvalidRequestError("The body cannot be decoded.") from None
