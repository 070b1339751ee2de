"""The loopback server and the colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from tests.client.colours import Awaiting, Blocking, Colour
from tests.client.loopback import Loopback


@pytest.fixture(scope="session")
def portals() -> Iterator[dict[str, BlockingPortal]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(start_blocking_portal(name)) for name in ("asyncio", "trio")}


@pytest.fixture(params=["sync", "asyncio", "trio"])
def call(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Colour:
    return Blocking() if request.param == "sync" else Awaiting(request.param, portals[request.param])


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


@pytest.fixture
def make(call: Colour, server: Loopback) -> Iterator[Any]:
    """Make a client of the server, with these options; it is closed after the test."""
    made: list[Any] = []

    def make(**options: Any) -> Any:
        made.append(call.client(**{"base_url": server.base_url, **options}))
        return made[-1]

    yield make
    for client in made:
        call.close(client)
