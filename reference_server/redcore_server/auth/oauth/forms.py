"""Reads the form of an OAuth request: bounded, form-encoded, each known parameter once (RFC 6749 section 3.2)."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.requests import Request

from redcore_server.errors import PayloadTooLarge

_MAX_BODY_BYTES: Final = 64 * 1024  # an assertion of SAML is the largest field, and has a bound of its own
_MAX_FIELDS: Final = 1000  # to split a form of as many takes a millisecond
_KNOWN: Final = frozenset(  # parameters of our endpoints; others are ignored, whatever they hold (RFC 6749 section 3.2)
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
    """Return the parameters of the body; the query string is ignored, and so is what is not UTF-8.

    Args:
        request: Request to an OAuth endpoint or a page.

    Raises:
        PayloadTooLarge: The body exceeds 64 KiB.
        InvalidRequestError: It is not a form, or a known parameter is repeated or not UTF-8.
    """
    body = await _body(request)
    is_form = request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _FORM
    if body and not is_form:  # an empty form is not a body, and needs no type
        raise InvalidRequestError(f"The body must be {_FORM}.")
    pairs = _parsed(body)
    names = [name for name, _ in pairs if name in _KNOWN]
    if len(names) != len(set(names)):
        raise InvalidRequestError("A parameter occurs more than once.")
    form = {name: value for name, value in pairs if _is_text(name + value)}
    if not form.keys() >= set(names):
        raise InvalidRequestError("A parameter is not UTF-8.")
    return form


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise PayloadTooLarge(_MAX_BODY_BYTES)
    return bytes(body)


def _parsed(body: bytes) -> list[tuple[str, str]]:
    # What is not UTF-8 stays recognizable: it is an error only in a parameter that we know.
    text = body.decode(errors="surrogateescape")
    try:
        return parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise InvalidRequestError(f"The body has more than {_MAX_FIELDS} parameters.") from None


def _is_text(value: str) -> bool:
    """Whether no byte was left undecoded."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
