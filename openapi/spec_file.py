"""openapi/redcore.yaml as written: read, resolved, and reduced to what the SDK is made of.

openapi-python-client's parser drops descriptions beside a `$ref`, inherited parameters' texts and `x-redcore-*`;
code that needs those reads them here. Knows nothing of Python code.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

SPEC = Path(__file__).with_name("redcore.yaml")
METHODS = ("get", "put", "post", "delete", "patch")

Json = dict[str, Any]


def read_spec() -> Json:
    """Return the spec, without what is not part of the SDK and what the SDK fills in by itself."""
    spec: Json = YAML(typ="safe").load(SPEC)
    known = spec["components"]["parameters"]
    managed = {f"#/components/parameters/{name}" for name, q in known.items() if q.get("x-redcore-managed")}

    def kept(parameters: list[Json]) -> list[Json]:
        return [q for q in parameters if q.get("$ref") not in managed and not q.get("x-redcore-managed")]

    paths: Json = {}
    for path, item in spec["paths"].items():
        ours = {m: item[m] for m in METHODS if m in item and item[m].get("x-redcore-sdk") is not False}
        if ours:
            mended = {m: {**op, "parameters": kept(op.get("parameters", []))} for m, op in ours.items()}
            paths[path] = {**mended, "parameters": kept(item.get("parameters", []))}
    return with_used_schemas({**spec, "paths": paths})


def with_used_schemas(spec: Json) -> Json:
    """Return the spec with only the schemas its operations reach, without the fields the SDK fills in by itself."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if (ref := node.get("$ref")) and ref not in found:
                found.add(ref)
                walk(resolve(spec, node))
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(spec["paths"])
    components = spec["components"]
    schemas = {n: s for n, s in components["schemas"].items() if f"#/components/schemas/{n}" in found}
    for schema in schemas.values():
        given = schema.get("properties", {})
        for name in [name for name, field in given.items() if field.get("x-redcore-managed")]:
            del given[name]
    return {**spec, "components": {**components, "schemas": schemas}}


def resolve(spec: Json, node: Json) -> Json:
    """Return a node with its `$ref` resolved; properties beside the `$ref` win."""
    if "$ref" not in node:
        return node
    target: Any = spec
    for key in node["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    return {**resolve(spec, target), **{k: v for k, v in node.items() if k != "$ref"}}


def raw_operations(spec: Json) -> dict[str, Json]:
    """Return operationId -> the operation as written, with inherited security and parameters resolved."""
    found: dict[str, Json] = {}
    twice = Counter(op["operationId"] for item in spec["paths"].values() for m, op in item.items() if m in METHODS)
    if repeated := [name for name, times in twice.items() if times > 1]:
        raise SystemExit(f"operationId used twice: {', '.join(repeated)}")
    for item in spec["paths"].values():
        for method, op in item.items():
            if method in METHODS:
                parameters = [resolve(spec, q) for q in [*item["parameters"], *op["parameters"]]]
                found[op["operationId"]] = {**op, "security": op.get("security", []), "parameters": parameters}
    return found


def sentence(text: str | None) -> str:
    """Return a description as one line that is safe inside a docstring."""
    return " ".join((text or "").split()).replace("\\", "\\\\").replace('"""', "'''")
