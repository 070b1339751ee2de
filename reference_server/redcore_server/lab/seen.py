"""Records requests for tests that compare them: query, headers and a small body, with secrets replaced by `***`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl

import orjson
from starlette.types import Message, Receive, Scope

MAX_BODY_BYTES: Final = 64 * 1024  # larger bodies are files, which no test compares here
_HIDDEN: Final = "***"
_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
_SECRET_FIELDS: Final = frozenset(
    {"client_secret", "refresh_token", "access_token", "token", "code", "code_verifier", "device_code", "assertion"}
    | {"password", "repeated", "key", "secret"}
)


def described(scope: Scope) -> dict[str, object]:
    """Return the query and the headers of a request."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return {
        "query": {name: _HIDDEN if name in _SECRET_FIELDS else value for name, value in pairs},
        "headers": {name: _shown(name, value) for name, value in headers.items()},
        "body": None,
    }


def noting_body(entry: dict[str, object], scope: Scope, receive: Receive) -> Receive:
    """Return a `receive` that records the complete body in the entry of its request.

    Args:
        entry: Entry of the request.
        receive: ASGI receive callable of the request.
    """
    media = dict(cast("Iterable[tuple[bytes, bytes]]", scope["headers"])).get(b"content-type", b"").partition(b";")[0]
    kept = bytearray()

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.request" and len(kept) <= MAX_BODY_BYTES:
            kept.extend(message.get("body", b""))
            if not message.get("more_body", False) and len(kept) <= MAX_BODY_BYTES:
                entry["body"] = _body(media.strip().lower(), bytes(kept))
        return message

    return receiving


def _shown(name: str, value: str) -> str:
    if name not in _SECRET_HEADERS:
        return value
    scheme, _, secret = value.partition(" ")
    return f"{scheme} {_HIDDEN}" if secret else _HIDDEN


def _body(media: bytes, content: bytes) -> Any:
    if media == b"application/x-www-form-urlencoded":
        return _without_secrets(dict(parse_qsl(content.decode(errors="replace"), keep_blank_values=True)))
    if media != b"application/json" or not content:
        return None
    try:
        return _without_secrets(orjson.loads(content))
    except orjson.JSONDecodeError:
        return content.decode(errors="replace")


def _without_secrets(value: object) -> object:
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("Mapping[str, object]", value).items()
    return {name: _HIDDEN if name in _SECRET_FIELDS else _without_secrets(inner) for name, inner in fields}
