"""The spec's facts for `redcore.testing.FakeBlueRound`, as JSON: operations, schemas and error codes."""

from __future__ import annotations

import json
from typing import Any

from spec_file import Json, resolve

API = "/v1"


def fake_contract(spec: Json, operations: dict[str, Json]) -> str:
    """Return the content of `testing/_fake/contract.json`."""
    places = {op["operationId"]: (m.upper(), path) for path, item in spec["paths"].items() for m, op in methods(item)}
    content = {
        "version": spec["info"]["version"],
        "statuses": spec["components"]["schemas"]["ErrorCode"]["x-redcore-status"],
        "scopes": spec["components"]["schemas"]["Scope"]["enum"],
        "schemas": plain(spec["components"]["schemas"]),
        "operations": [
            described(spec, name, *places[name], operation)
            for name, operation in operations.items()
            if places[name][1].startswith(API)
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def methods(item: Json) -> list[tuple[str, Json]]:
    return [(method, op) for method, op in item.items() if method != "parameters"]


def described(spec: Json, name: str, method: str, path: str, operation: Json) -> Json:
    scopes = [scope for way in operation["security"] for scope in way.get("oauth2", ())]
    success = next(status for status in operation["responses"] if status.startswith("2"))
    media = operation.get("requestBody", {}).get("content", {})
    answer = resolve(spec, operation["responses"][success]).get("content", {})
    return {
        "id": name,
        "method": method,
        "path": path,
        "scope": scopes[0] if scopes else None,
        "success": int(success),
        "keyed": operation.get("x-redcore-idempotency") == "key",
        "query": {q["name"]: plain(q["schema"]) for q in operation["parameters"] if q["in"] == "query"},
        "body": plain(media["application/json"]["schema"]) if "application/json" in media else None,
        "answer": plain(answer["application/json"]["schema"]) if "application/json" in answer else None,
        "is_upload": "multipart/form-data" in media,
    }


def plain(schema: Any) -> Any:
    """Return a schema without its texts for people."""
    if isinstance(schema, list):
        return [plain(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {field: plain(inner) for field, inner in value.items()} if name == "properties" else plain(value)
        for name, value in schema.items()
        if name not in {"description", "example"} and not name.startswith("x-")
    }
