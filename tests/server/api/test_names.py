"""Names that people see: they can be seen, and they are one line."""

from __future__ import annotations

import httpx
import pytest
from tests.server.support.tenants import Organisation

pytestmark = pytest.mark.anyio

ISSUE = {"field": "name", "issue": "must not be blank or have control characters"}
WRONG = (
    " ",
    "\t",
    "\u00a0\u3000",
    "Ada\n",
    "\nAda",
    "A\r\nda",
    "A\x00da",
    "A\x1bda",
    "A\x7fda",
    "A\x85da",
    "A\u2028da",
)
RIGHT = (
    "Ada",
    " Ada ",
    "Ada Lovelace",
    "O'Brien-Smith",
    "李 明",
    "عمر",
    "👩\u200d🚀",
    "क्\u200dष",
    "Zoe\u0308",
    "x" * 200,
)


@pytest.mark.parametrize("name", WRONG)
async def test_a_name_that_is_none_is_refused(caller: httpx.AsyncClient, organisation: Organisation, name: str) -> None:
    """Wherever one is given, with words that say what is wrong."""
    product = {"name": "x", "sku": "A", "price": 1}
    made = (await caller.post("/v1/products", json=product)).json()["data"]
    answers = [
        await caller.post("/v1/users", json={"email": "eve@example.com", "name": name}),
        await caller.patch(f"/v1/users/{organisation.owner_id}", json={"name": name}),
        await caller.patch("/v1/me", json={"name": name}),
        await caller.post("/v1/products", json={**product, "sku": "B", "name": name}),
        await caller.patch(f"/v1/products/{made['id']}", json={"name": name}),
        await caller.post("/v1/api-keys", json={"name": name, "scopes": ["users:read"]}),
        await caller.post("/v1/applications", json={"name": name, "scopes": ["users:read"]}),
    ]

    for answer in answers:
        assert answer.status_code == 400
        assert ISSUE in answer.json()["error"]["details"]


@pytest.mark.parametrize("name", RIGHT)
async def test_any_other_name_is_taken(caller: httpx.AsyncClient, name: str) -> None:
    """As it is, blanks around it too; some scripts and signs need joiners that cannot be seen."""
    answer = await caller.post("/v1/products", json={"name": name, "sku": "A", "price": 1})

    assert (answer.status_code, answer.json()["data"]["name"]) == (201, name)
