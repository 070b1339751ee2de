"""The ways in which applications mock HTTP in their own tests work on the SDK too."""

from __future__ import annotations

from typing import Any

import httpx
import respx
from tests.client.colours import Colour
from tests.client.loopback import USER

ENVELOPE = {"data": USER, "meta": {"request_id": "req_1", "version": "1.2.0"}}


def test_respx_on_the_sdks_own_connections(call: Colour, make: Any) -> None:
    """Respx sees each attempt of a call, and what it answers is what the call gets."""
    with respx.mock(base_url="https://api.blueround.com/v1") as router:
        route = router.get("/users/usr_1")
        route.side_effect = [httpx.Response(503), httpx.ConnectError("gone"), httpx.Response(200, json=ENVELOPE)]

        found = call(make(base_url="https://api.blueround.com/v1").users.get, "usr_1")

    assert found.id == USER["id"]
    assert [request.request.headers["Authorization"][:7] for request in route.calls] == ["Bearer "] * 3


def test_a_mock_transport_of_httpx(call: Colour, make: Any) -> None:
    """An httpx client whose transport is a function is as good as any."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ENVELOPE)

    kind: Any = httpx.Client if call.name == "sync" else httpx.AsyncClient
    brought = kind(transport=httpx.MockTransport(answer))

    assert call(make(http_client=brought).users.get, "usr_1").id == USER["id"]
    call(brought.close if call.name == "sync" else brought.aclose)
