"""Calls that the specification does not describe, for `client.request`. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from redcore._base.operation import Operation
from redcore._base.values import UNSET
from redcore._wire.encoding import JSON, dump, text
from redcore._wire.raw_response import RawResponse, raw
from redcore.exceptions import ArgumentError

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110 section 9.2.2
METHODS = IDEMPOTENT | {"POST", "PATCH"}
PATH = re.compile(r"(/[A-Za-z0-9\-._~!$&'()*+,;=:@%]*)+")  # RFC 3986 section 3.3, path-abempty
ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})")


def custom(
    method: str,
    path: str,
    *,
    query: Mapping[str, Any] | None,
    json: Any,
    content: bytes | None,
    content_type: str,
    keyed: bool,
) -> Operation[RawResponse[Any]]:
    """Describe a call.

    Args:
        method: An HTTP method, in any case.
        path: Relative to `base_url`, beginning with a slash.
        query: Query parameters; those that are None are omitted.
        json: The body, encoded as JSON; UNSET means no body.
        content: The body as raw bytes, instead of JSON.
        content_type: Media type of `content`.
        keyed: Whether the caller passed an `Idempotency-Key`.

    Raises:
        ArgumentError: an argument cannot be sent.
    """
    verb = checked_method(method)
    if json is not UNSET and content is not None:
        raise ArgumentError("give either json or content, not both: a request has one body")
    check_content(content, content_type)
    check_query(query)
    if json is not UNSET:
        content, content_type = dump(json), JSON
    return raw(
        Operation(
            name="request",
            method=verb,
            path=checked_path(path),
            path_parameters=None,
            shape="any",
            query={text("a name in the query", name): value for name, value in (query or {}).items()},
            content=content,
            media=content_type,
            idempotent=verb in IDEMPOTENT,
            # A PATCH may not be idempotent: only a key makes it safe to retry.
            keyed=verb == "POST" or (verb == "PATCH" and keyed),
        )
    )


def checked_method(method: str) -> str:
    """Return the method in upper case.

    Raises:
        ArgumentError: it is not a supported method.
    """
    verb = str(method).upper()
    if verb not in METHODS:
        raise ArgumentError(f"method must be one of {', '.join(sorted(METHODS))}; got {method!r}")
    return verb


def check_content(content: object, content_type: object) -> None:
    """Check that a body is bytes, and its type a string: each HTTP library fails differently on other types.

    Raises:
        ArgumentError: one of them is something else.
    """
    if not isinstance(content_type, str):
        raise ArgumentError(f"content_type must be a string, not {type(content_type).__name__}")
    if not isinstance(content, bytes | None):
        raise ArgumentError(f"content must be bytes, not {type(content).__name__}")


def check_query(query: object) -> None:
    """Check that a query is a mapping.

    Raises:
        ArgumentError: it is something else, such as a string or pairs.
    """
    if not isinstance(query, Mapping | None):
        raise ArgumentError(f"query must be a mapping of names to values, not {type(query).__name__}")


def checked_path(path: object) -> str:
    """Validate a path: it must stay below `base_url`, so that the token is not sent elsewhere.

    Raises:
        ArgumentError: it could lead elsewhere, or is not a path.
    """
    if not isinstance(path, str) or not path.startswith("/"):
        raise ArgumentError("path must begin with a slash: it is relative to base_url, as in /users/usr_1")
    if "?" in path or "#" in path:
        raise ArgumentError("path must have no ? and no #; give the query as query={…}")
    if not PATH.fullmatch(path) or ESCAPES.search(path):
        raise ArgumentError("path has characters that no path has; percent-encode them, as urllib.parse.quote does")
    segments = [unquote(segment) for segment in path[1:].split("/")]
    if any(segment in {".", ".."} or "/" in segment or "\\" in segment for segment in segments):
        raise ArgumentError("path must not have . or .. as a segment, nor an encoded slash: it stays below base_url")
    if "" in segments[:-1]:
        raise ArgumentError("path must not have an empty segment, as in //")
    return path
