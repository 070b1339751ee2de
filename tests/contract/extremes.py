"""Arguments for every operation: few, all, and all at the smallest and the largest that the spec allows."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.spec import resolved, spec

from redcore._spec import operations

DESCRIBED: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in inspect.getmembers(operations, inspect.isfunction)
    if function.__module__ == operations.__name__
}
SIZES = ("few", "all", "smallest", "largest")
TYPICAL: dict[str, Any] = {
    "active": True,
    "code": "c0de",
    "code_verifier": "v" * 43,
    "content_type": "text/csv",
    "email": "ada@example.com",
    "expires_at": dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
    "file": b"a,b",
    "grant_type": "refresh_token",
    "grant_types": ["authorization_code"],
    "include_total": True,
    "input": {"format": "csv"},
    "limit": 20,
    "mode": "live",
    "name": "Ada Lovelace",
    "offset": 40,
    "partial": True,
    "price": 4999,
    "q": "ada & co",
    "redirect_uris": ["https://shop.example.com/callback"],
    "role": "editor",
    "scope": "users:read",
    "scopes": ["users:read"],
    "sku": "BR-1",
    "status": "active",
    "stock": 7,
    "token": "a-token",
    "token_type_hint": "access_token",
    "type": "confidential",
}
STATUSES = {"products": "available", "workflows": "queued"}
LONG = "ü𝒳%&+/\\\"'?#;=,é"  # what a URL, a form, JSON or a header would have to escape
UNBOUNDED = 1000
SPECIAL: dict[str, tuple[Any, Any]] = {
    "code_verifier": ("v" * 43, "~" * 128),
    "email": ("a@b", "ü" * 60 + "@" + "x" * 60 + ".example"),
    "file": (b"", bytes(range(256)) * 1000),
    "input": ({}, {LONG: [None, True, -(2**53), 1e-9, {"": LONG}]}),
    "redirect_uris": ([], [f"https://a.example/{number}?b=c" for number in range(10)]),
}
"""Smallest and largest of what a schema does not say."""


def arguments(name: str, size: str) -> dict[str, Any]:
    """Arguments of an operation.

    Args:
        name: Of its description.
        size: One of `SIZES`: those that it needs, all that it takes, or all at an end of what the spec allows.
    """
    parameters = inspect.signature(DESCRIBED[name]).parameters.values()
    wanted = [known.name for known in parameters if size != "few" or known.default is inspect.Parameter.empty]
    if size in {"few", "all"}:
        chosen = {known: TYPICAL.get(known, f"{known}_1") for known in wanted}
        if "status" in chosen:
            chosen["status"] = STATUSES.get(name.partition("_")[0], chosen["status"])
        return chosen
    largest = size == "largest"
    return {
        known: SPECIAL[known][largest] if known in SPECIAL else extreme(schemas(name)[known], largest=largest)
        for known in wanted
    }


def extreme(schema: dict[str, Any], *, largest: bool) -> Any:
    """The smallest or the largest value of a schema."""
    schema = resolved(schema, spec())
    if "enum" in schema:
        return schema["enum"][-1 if largest else 0]
    match schema["type"][0] if isinstance(schema["type"], list) else schema["type"]:
        case "boolean":
            return largest
        case "integer":
            return schema.get("maximum", 2**31 - 1) if largest else schema.get("minimum", -(2**31))
        case "array":
            choices = resolved(schema["items"], spec())["enum"]
            return choices if largest else choices[: schema.get("minItems", 0)]
        case "string" if schema.get("format") == "date-time":
            return (
                dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, dt.UTC)
                if largest
                else dt.datetime(1, 1, 1, tzinfo=dt.UTC)
            )
        case _:
            size = schema.get("maxLength", UNBOUNDED) if largest else schema.get("minLength", 1)
            return (LONG * size)[:size]


def schemas(name: str) -> dict[str, dict[str, Any]]:
    """The schemas of an operation's arguments, by name."""
    described, shared = by_id()[name]
    parameters = [resolved(each, spec()) for each in (*described.get("parameters", ()), *shared)]
    found = {known["name"]: known["schema"] for known in parameters}
    for content in resolved(described.get("requestBody", {}), spec()).get("content", {}).values():
        found |= resolved(content["schema"], spec())["properties"]
    return found


@cache
def by_id() -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The operations of the spec by id, each with the parameters of its path."""
    paths = spec()["paths"].values()
    return {
        described["operationId"]: (described, item.get("parameters", []))
        for item in paths
        for described in item.values()
        if isinstance(described, dict)
    }
