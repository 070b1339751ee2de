"""The spec and its references, which several tests read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

SPEC = Path(__file__).parents[1] / "openapi" / "redcore.yaml"


@cache
def spec() -> dict[str, Any]:
    """Return the parsed spec."""
    parsed: dict[str, Any] = yaml.load(SPEC.read_bytes(), yaml.CSafeLoader)
    return parsed


def resolved(node: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """Return what the `$ref` of a node leads to; any other node as it is."""
    while "$ref" in node:
        target: Any = spec
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node
