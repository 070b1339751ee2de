"""Faults of the lab."""

from __future__ import annotations

from typing import Any

import httpx


async def script(client: httpx.AsyncClient, *faults: dict[str, Any], path: str = "/v1/*", **more: str) -> None:
    """Add faults for the next requests to a path."""
    response = await client.post("/lab/faults", json={"path": path, "faults": faults, **more})
    assert response.status_code == 204, response.text
