"""Takes secrets out of answers, where a careless server or proxy may have echoed what was sent. Performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from redcore._base.response import Response

SECRET_FIELDS = frozenset({"assertion", "code", "code_verifier", "device_code", "refresh_token", "token"})
"""The fields of the OAuth endpoints' forms that are secrets."""
SHORTEST_SECRET = 16  # a shorter field is not a secret, and hiding it would only garble the answer


def without_secrets(response: Response, held: Iterable[str | None], sent: Mapping[str, Any] | None) -> Response:
    """The answer with `[secret]` in place of every secret.

    Args:
        response: The answer.
        held: The secrets of the client.
        sent: The form that was sent; None if there was none.
    """
    form = sent or {}
    values = {form[name] for name in SECRET_FIELDS & form.keys() if isinstance(form[name], str)}
    secrets = {*filter(None, held), *(value for value in values if len(value) >= SHORTEST_SECRET)}
    content = response.content
    for secret in sorted(secrets, key=len, reverse=True):  # the longer first: one may hold another
        content = content.replace(secret.encode(), b"[secret]")
    return attrs.evolve(response, content=content)
