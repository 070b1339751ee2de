"""Runs of workflows over HTTP, and the files that they read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

HEADING = "sku,name,price,stock,status\n"
Runs = Callable[..., Awaitable[dict[str, Any]]]


async def start(caller: httpx.AsyncClient, workflow: str, **given: Any) -> dict[str, Any]:
    response = await caller.post(f"/v1/workflows/{workflow}/runs", json={"input": given})
    assert response.status_code == 202, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


async def upload(caller: httpx.AsyncClient, content: str | bytes, name: str = "rows.csv") -> str:
    data = content.encode() if isinstance(content, str) else content
    response = await caller.post("/v1/files", files={"file": (name, data)})
    file_id: str = response.json()["data"]["id"]
    return file_id


async def catalog(caller: httpx.AsyncClient) -> dict[str, tuple[Any, ...]]:
    """The catalog by sku."""
    products = (await caller.get("/v1/products?limit=100")).json()["data"]
    return {p["sku"]: (p["name"], p["price"], p["stock"], p["status"]) for p in products}
