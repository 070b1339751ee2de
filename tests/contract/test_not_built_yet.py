"""Which operations of the spec the reference server does not have yet: exactly these answer 501."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from redcore.testing import ReferenceServer

SPEC: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "openapi" / "redcore.yaml").read_text("utf-8"))
METHODS = ("get", "post", "patch", "delete")
OPERATIONS = {
    operation["operationId"]: (method.upper(), path)
    for path, item in SPEC["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}
NOT_BUILT = {
    "workflows_cancel_run",
    "workflows_get_run",
    "workflows_list",
    "workflows_list_runs",
    "workflows_run",
}


@pytest.fixture(scope="module")
def wire(redcore_server: ReferenceServer) -> Any:
    key = redcore_server.api_key["api_key"]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=redcore_server.origin, headers=headers, trust_env=False) as http:
        yield http


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_answers_501_if_and_only_if_it_is_listed(name: str, wire: httpx.Client) -> None:
    """The list above is neither longer nor shorter than the truth, and 501 comes in the error envelope."""
    method, path = OPERATIONS[name]
    response = wire.request(method, path.replace("{", "").replace("}", ""))
    assert (response.status_code == 501) == (name in NOT_BUILT)
    if response.status_code == 501:
        assert response.json()["error"]["code"] == "NOT_IMPLEMENTED"
