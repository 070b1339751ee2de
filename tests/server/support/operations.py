"""The operations of the contract, and calls of them."""

from __future__ import annotations

from typing import Any

import httpx

from redcore_server.contract import spec
from redcore_server.contract.spec import Operation

CONTRACT = spec.load()
API = [operation for operation in CONTRACT.operations.values() if operation.scope]
BODIES: dict[str, dict[str, Any]] = {
    "users_create": {"email": "grace@example.com", "name": "Grace"},
    "users_update": {"name": "Intruder"},
    "users_update_me": {"name": "Ada"},
    "products_create": {"name": "x", "sku": "SKU-2", "price": 1},
    "products_update": {"price": 5},
    "api_keys_create": {"name": "x", "scopes": ["users:read"]},
    "workflows_run": {"input": {"format": "csv"}},
    "applications_create": {"name": "x", "scopes": ["users:read"]},
}


async def call(caller: httpx.AsyncClient, operation: Operation, ids: dict[str, str] | None = None) -> httpx.Response:
    """Call an operation on objects with these ids; without ids, on objects that do not exist."""
    path = operation.path.format_map(ids) if ids else operation.path.replace("{", "a-").replace("}", "-z")
    if operation.is_upload:
        return await caller.request(operation.method, path, files={"file": b"x"})
    return await caller.request(operation.method, path, json=BODIES.get(operation.id))
