"""Names that people see: visible, and one line."""

from __future__ import annotations

import httpx
import pytest
from tests.server.support.tenants import Organisation

pytestmark = pytest.mark.anyio

SKU_ISSUE = {
    "field": "sku",
    "issue": "must not be blank, have blanks at its ends, or have characters that cannot be seen",
}
ISSUE = {"field": "name", "issue": "must not be blank, have blanks at its ends, or have control characters"}
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
    " Ada",
    "Ada ",
    "\u3000Ada",
    "Ada\u00a0",
    "Ada\ufeff",
    *"\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200d\u202e\u2060\u2063\u2800\u3164\ue000\ufe0f\ufeff\uffa0",
    *"\U0001d173\U000e0041\U000e0100",
    *"\ufdd0\ufffe\uffff",
    "\u200b \u200b",
)
RIGHT = (
    "Ada",
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
async def test_an_invalid_name_is_refused(caller: httpx.AsyncClient, organisation: Organisation, name: str) -> None:
    """In every operation with a name, with a message that says what is wrong."""
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
async def test_any_other_name_is_accepted(caller: httpx.AsyncClient, name: str) -> None:
    """Unchanged; some scripts and signs need invisible joiners."""
    answer = await caller.post("/v1/products", json={"name": name, "sku": "A", "price": 1})

    assert (answer.status_code, answer.json()["data"]["name"]) == (201, name)


@pytest.mark.parametrize(
    "sku", [" WS1", "WS1 ", "\u3000WS1", "WS1\u200b", "W\u200bS1", "W\u00adS1", "W\nS1", "\u2800", " "]
)
async def test_a_sku_that_looks_like_another_is_refused(caller: httpx.AsyncClient, sku: str) -> None:
    """Blanks at its ends and invisible characters: two such products would look the same."""
    product = {"name": "x", "sku": "A", "price": 1}
    made = (await caller.post("/v1/products", json=product)).json()["data"]

    answers = [
        await caller.post("/v1/products", json={**product, "sku": sku}),
        await caller.patch(f"/v1/products/{made['id']}", json={"sku": sku}),
    ]

    assert [SKU_ISSUE in answer.json()["error"]["details"] for answer in answers] == [True, True]


async def test_a_sku_is_unique_in_any_unicode_form(caller: httpx.AsyncClient) -> None:
    """409 for the other spelling, at creation and at a change; it is stored as written."""
    product = {"name": "x", "sku": "Caf\u00e9", "price": 1}
    made = (await caller.post("/v1/products", json=product)).json()["data"]
    other = (await caller.post("/v1/products", json={**product, "sku": "Tea"})).json()["data"]

    answers = [
        await caller.post("/v1/products", json={**product, "sku": "Cafe\u0301"}),
        await caller.patch(f"/v1/products/{other['id']}", json={"sku": "Cafe\u0301"}),
    ]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert (await caller.patch(f"/v1/products/{made['id']}", json={"sku": "Cafe\u0301"})).status_code == 200
