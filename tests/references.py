"""References of the spec, which several tests read."""

from __future__ import annotations

from typing import Any


def resolved(node: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """Return what the `$ref` of a node leads to; any other node as it is."""
    while "$ref" in node:
        target: Any = spec
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node
