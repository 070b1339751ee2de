"""Redacts secrets in responses, where a server or proxy may have echoed the request. Performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from redcore._base.response import Response

SECRET_FIELDS = frozenset({"assertion", "code", "code_verifier", "device_code", "refresh_token", "token"})
"""The secret fields of the OAuth endpoints' forms."""
SHORTEST_SECRET = 16  # a shorter field is not a secret, and redacting it would only garble the response


def without_secrets(response: Response, held: Iterable[str | None], sent: Mapping[str, Any] | None) -> Response:
    """Replace every secret in a response by `[secret]`.

    Args:
        response: The response.
        held: The secrets of the client.
        sent: The form that was sent, or None.
    """
    form = sent or {}
    values = {form[name] for name in SECRET_FIELDS & form.keys() if isinstance(form[name], str)}
    secrets = {*filter(None, held), *(value for value in values if len(value) >= SHORTEST_SECRET)}
    content = response.content
    for secret in sorted(secrets, key=len, reverse=True):  # longest first, as one may contain another
        content = content.replace(secret.encode(), b"[secret]")
    return attrs.evolve(response, content=content)
