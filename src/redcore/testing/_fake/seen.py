"""What a request looked like, without its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from redcore.testing._fake.call import Asked
from redcore.testing.lab import SeenRequest

HIDDEN = "***"
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
SECRET_FIELDS = {
    *("client_secret", "refresh_token", "access_token", "token", "code", "code_verifier", "device_code", "assertion"),
    *("password", "repeated", "key", "secret"),
}


def seen(asked: Asked, *, status: int, request_id: str | None) -> SeenRequest:
    """The record of a request."""
    return SeenRequest(
        method=asked.method,
        path=asked.path,
        status=status,
        request_id=request_id,
        query=without_secrets(dict(parse_qsl(asked.query, keep_blank_values=True))),
        headers={name: shown(name, value) for name, value in asked.headers.items()},
        body=body_of(asked.headers, asked.content),
    )


def shown(name: str, value: str) -> str:
    """A header's value; of a credential only the scheme."""
    if name not in SECRET_HEADERS:
        return value
    scheme, _, secret = value.partition(" ")
    return f"{scheme} {HIDDEN}" if secret else HIDDEN


def body_of(headers: Mapping[str, str], content: bytes) -> Any:
    """A body as it can be compared: JSON and forms as values, text as text."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not content or media.startswith("multipart/"):
        return None
    if media == "application/x-www-form-urlencoded":
        form = dict(parse_qsl(content.decode(errors="replace"), keep_blank_values=True))
        return {name: HIDDEN if name in SECRET_FIELDS else value for name, value in form.items()}
    try:
        value = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return content.decode(errors="replace") if media.startswith("text/") else None
    return without_secrets(value)


def without_secrets(value: Any) -> Any:
    """JSON whose secret fields are hidden."""
    if isinstance(value, list):
        return [without_secrets(inner) for inner in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value).items()
    return {name: HIDDEN if name in SECRET_FIELDS else without_secrets(inner) for name, inner in fields}
