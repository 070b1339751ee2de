"""The file of the contract, `redcore.yaml`, parsed once per process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml


@cache
def document() -> Mapping[str, Any]:
    """Return the OpenAPI document shipped with this server."""
    packaged = Path(__file__).with_name("redcore.yaml")
    # In a checkout the file is not yet copied into the package.
    path = packaged if packaged.is_file() else Path(__file__).parents[3] / "openapi" / "redcore.yaml"
    return cast("Mapping[str, Any]", yaml.load(path.read_bytes(), yaml.CSafeLoader))


def statuses() -> Mapping[str, int]:
    """Return the HTTP status of each error code."""
    return cast("Mapping[str, int]", document()["components"]["schemas"]["ErrorCode"]["x-redcore-status"])
