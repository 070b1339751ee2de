"""Client authentication: `client_secret_basic` and `client_secret_post` (RFC 6749 section 2.3.1).

A public client has no secret and only sends its id; its requests need other proof, such as PKCE. An unknown client and
a wrong secret get the same response after the same work.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

METHODS: Final = ["client_secret_basic", "client_secret_post"]
METHODS_WITH_PUBLIC: Final = [*METHODS, "none"]


def credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the client id and secret of a request; without a secret if only the client id is sent.

    Args:
        authorization: The `Authorization` header, if present.
        form: Parameters of the body.

    Raises:
        InvalidRequestError: It uses both methods (RFC 6749 section 2.3), or sends two client ids.
        InvalidClientError: It sends no client id.
    """
    if authorization is None:
        if not form.get("client_id"):
            raise invalid_client()
        return form["client_id"], form.get("client_secret")
    client_id, secret = _basic(authorization)
    if "client_secret" in form or form.get("client_id", client_id) != client_id:
        raise InvalidRequestError("The request uses more than one way to authenticate the client.")
    return client_id, secret


def invalid_client() -> InvalidClientError:
    """Return the generic error for a failed client authentication, without the reason."""
    return InvalidClientError("The client could not be authenticated.", status_code=401)


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client()
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid_client() from None
    client_id, colon, secret = decoded.partition(":")
    if not colon:
        raise invalid_client()
    return unquote_plus(client_id), unquote_plus(secret)
