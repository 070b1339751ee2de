"""Faults of the lab: on a real uvicorn where connections are damaged, in this process otherwise."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.types import Message
from tests.server.support.callers import rows
from tests.server.support.faults import script
from tests.server.support.tenants import Organisation

from redcore_server.clock import Clock
from redcore_server.lab.connection import truncating
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


async def test_each_request_uses_one_fault_up(caller: httpx.AsyncClient) -> None:
    """503 with Retry-After, a pass, 500, then normal answers."""
    await script(caller, {"status": 503, "retry_after": 2}, {"pass": True}, {"status": 500})

    responses = [await caller.get("/v1/me") for _ in range(4)]

    assert [response.status_code for response in responses] == [503, 200, 500, 200]
    assert responses[0].headers["Retry-After"] == "2"
    assert responses[0].json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert responses[2].json()["error"]["code"] == "INTERNAL_ERROR"


async def test_a_fault_matches_method_and_path(caller: httpx.AsyncClient) -> None:
    """A glob, and a method or any."""
    await script(caller, {"status": 500}, path="/v1/users/*", method="DELETE")

    statuses = [
        (await caller.get("/v1/users/usr_1")).status_code,
        (await caller.delete("/v1/products/prod_1")).status_code,
        (await caller.delete("/v1/users/usr_1")).status_code,
        (await caller.delete("/v1/users/usr_1")).status_code,
    ]

    assert statuses == [404, 404, 500, 404]


async def test_faults_for_one_path_are_used_in_order(caller: httpx.AsyncClient) -> None:
    """The first one added is used up first."""
    await script(caller, {"status": 500})
    await script(caller, {"status": 502}, path="*")

    assert [(await caller.get("/v1/me")).status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    ("fault", "content_type", "content"),
    [
        ({"status": 200, "body": "<h1>Welcome</h1>"}, "text/html; charset=utf-8", b"<h1>Welcome</h1>"),
        ({"status": 200, "body": {"data": 1}}, "application/json", b'{"data":1}'),
        ({"status": 200, "body": None}, "application/json", b"null"),
        ({"status": 302}, "application/json", b""),
    ],
)
async def test_a_fault_can_have_any_body(
    caller: httpx.AsyncClient, fault: dict[str, Any], content_type: str, content: bytes
) -> None:
    """HTML, other JSON than expected, or none."""
    await script(caller, fault)

    response = await caller.get("/v1/me")

    assert (response.status_code, response.headers["Content-Type"]) == (fault["status"], content_type)
    assert response.content == content


async def test_an_injected_answer_echoes_the_request_id(caller: httpx.AsyncClient, clock: Clock) -> None:
    """Every answer has it, and the date of the server's clock."""
    request_id = "0b7f3c1e-5d2a-4f6b-8c9d-0e1f2a3b4c5d"
    await script(caller, {"status": 500})
    clock.advance(-1_000_000_000)

    response = await caller.get("/v1/me", headers={"X-Request-ID": request_id})

    assert response.headers["X-Request-ID"] == request_id
    assert response.headers["Date"].split()[3] < "2000"


async def test_a_delay_comes_before_the_answer(caller: httpx.AsyncClient) -> None:
    """A real one, here."""
    await script(caller, {"delay": 0.2})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await caller.get("/v1/me")

    assert (await caller.get("/v1/me")).status_code == 200


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_an_injected_answer_without_a_body(remote: httpx.AsyncClient, status: int) -> None:
    """HTTP allows none for its status: one would be read as the next answer. A fault with one is refused."""
    body = {"path": "/*", "faults": [{}, {"status": status, "body": {}}]}
    refused = await remote.post("/lab/faults", json=body)
    await script(remote, {"status": status})

    answers = [await remote.get("/v1/me") for _ in range(2)]

    assert refused.json()["error"]["details"] == [{"field": "faults.1.body", "issue": f"an answer {status} has none"}]
    assert [(answer.status_code, "Content-Type" in answer.headers) for answer in answers] == [
        (status, False),
        (200, True),
    ]


async def test_a_body_that_cannot_be_sent_is_refused(caller: httpx.AsyncClient) -> None:
    """JSON that is nested deeper than the server writes."""
    nested = "[" * 900 + "]" * 900
    content = f'{{"path": "/*", "faults": [{{"status": 200, "body": {nested}}}]}}'

    refused = await caller.post("/lab/faults", content=content)

    assert (refused.status_code, refused.json()["error"]["details"][0]["field"]) == (400, "faults.0.body")


@pytest.mark.parametrize("retry_after", ["1\r\nX-Evil: 1", "é", "日"])
async def test_an_invalid_retry_after_is_refused(caller: httpx.AsyncClient, retry_after: str) -> None:
    """Before it damages an answer."""
    faults = [{"status": 503, "retry_after": retry_after}]

    refused = await caller.post("/lab/faults", json={"path": "/*", "faults": faults})

    assert refused.json()["error"]["details"][0]["field"] == "faults.0.retry_after"


async def test_a_dropped_connection_has_no_answer_and_no_effect(
    remote: httpx.AsyncClient, stores: Stores, organisation: Organisation
) -> None:
    """The client sees the connection close; the next request is handled."""
    body = {"email": "grace@example.com", "name": "Grace"}
    await script(remote, {"drop": True})

    with pytest.raises(httpx.RemoteProtocolError):
        await remote.post("/v1/users", json=body)

    found = await rows(stores, "select id from users where organisation_id = %s", organisation.id)
    assert len(found) == 1
    assert (await remote.post("/v1/users", json=body)).status_code == 201


async def test_a_truncated_answer_was_handled(
    remote: httpx.AsyncClient, stores: Stores, organisation: Organisation
) -> None:
    """The user exists, the client does not know: an Idempotency-Key is for this case."""
    call = {"json": {"email": "grace@example.com", "name": "Grace"}, "headers": {"Idempotency-Key": "k"}}
    await script(remote, {"truncate": True})

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        await remote.post("/v1/users", **call)  # type: ignore[arg-type]

    again = await remote.post("/v1/users", **call)  # type: ignore[arg-type]
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    found = await rows(stores, "select id from users where organisation_id = %s", organisation.id)
    assert len(found) == 2


async def test_only_uvicorns_connections_can_be_cut(caller: httpx.AsyncClient) -> None:
    """Otherwise it is an error of the server, not silence."""
    await script(caller, {"drop": True})

    assert (await caller.get("/v1/me")).status_code == 500


async def test_a_streamed_answer_is_truncated_in_its_first_part() -> None:
    """What the app sends after the cut is dropped."""
    closed = asyncio.Event()
    sent: list[Message] = []

    class Cycle:
        """The owner of uvicorn's `send`."""

        transport = SimpleNamespace(close=closed.set)

        async def send(self, message: Message) -> None:
            sent.append(message)

    async def receive() -> Message:
        await closed.wait()
        return {"type": "http.disconnect"}

    sending = truncating(receive, Cycle().send)
    await sending({"type": "http.response.start", "status": 200, "headers": []})
    for part in (b"12345678", b"90"):
        await sending({"type": "http.response.body", "body": part, "more_body": True})

    assert [message.get("body") for message in sent] == [None, b"1234"]


async def test_faults_can_be_cleared(caller: httpx.AsyncClient) -> None:
    """All of them."""
    await script(caller, {"status": 500})

    await caller.delete("/lab/faults")

    assert (await caller.get("/v1/me")).status_code == 200


async def test_an_unused_fault_is_reported(caller: httpx.AsyncClient) -> None:
    """Its path was misspelt, for example."""
    await caller.post("/lab/faults", json={"method": "GET", "path": "/v1/mee", "faults": [{"status": 503}]})
    await caller.get("/v1/me")

    assert (await caller.get("/lab/faults")).json() == [{"method": "GET", "path": "/v1/mee", "left": 1}]
