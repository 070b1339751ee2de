"""One test body for every colour: `call(lambda client: client.users.get(…))` blocks, or awaits on asyncio or trio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import anyio
import anyio.from_thread
import httpx
import pytest
from tests.contract.attacker import Attacker
from tests.contract.judge import Judge
from tests.contract.people import Actor, Person, Visitor, new_application, new_person

from redcore import AsyncClient, Client
from redcore.testing import FakeTime, Lab, ReferenceServer
from redcore.testing._fake.blueround import FakeBlueRound
from redcore.testing._fake.call import Asked
from redcore.testing._fake.transport import Delivery

COLOURS = ("sync", "asyncio", "trio")


class Caller:
    """Makes calls with a client of one colour, and returns their results."""

    def __init__(self, client: Any, portal: anyio.from_thread.BlockingPortal | None) -> None:
        self.client = client
        self._portal = portal

    def __call__(self, use: Callable[[Any], Any]) -> Any:
        """Return the result of a call."""
        if self._portal is None:
            return use(self.client)

        async def main() -> Any:
            return await use(self.client)

        return self._portal.call(main)

    def walk(self, use: Callable[[Any], Any]) -> list[Any]:
        """Return everything that an iterator yields."""
        if self._portal is None:
            return list(use(self.client))

        async def main() -> list[Any]:
            return [each async for each in use(self.client)]

        return self._portal.call(main)


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge()


@pytest.fixture(params=COLOURS)
def connect(request: pytest.FixtureRequest, judge: Judge) -> Iterator[Callable[..., Caller]]:
    """Makes callers of one colour from arguments for a client; closed after the test, and no wait takes time."""
    with FakeTime(), ExitStack() as stack:
        colour = request.param
        portal = (
            None if colour == "sync" else stack.enter_context(anyio.from_thread.start_blocking_portal(backend=colour))
        )

        def caller(*, judged: bool = True, **arguments: Any) -> Caller:
            if portal is None:
                http = stack.enter_context(judge.http() if judged else httpx.Client())
                return Caller(stack.enter_context(Client(**arguments, http_client=http)), None)
            made = judge.http_async() if judged else httpx.AsyncClient()
            async_http = stack.enter_context(portal.wrap_async_context_manager(made))
            client = AsyncClient(**arguments, http_client=async_http)
            return Caller(stack.enter_context(portal.wrap_async_context_manager(client)), portal)

        yield caller


class JudgedFake(FakeBlueRound):
    """The fake; each of its exchanges is judged, except pages of an intermediary."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge

    def _deliver(self, asked: Asked, timeout_s: float) -> Delivery:
        delivery = super()._deliver(asked, timeout_s)
        if delivery.answer.headers.get("Content-Type") != "text/html":
            url = f"{asked.origin}{asked.path}" + (f"?{asked.query}" if asked.query else "")
            request = httpx.Request(asked.method, url, headers=asked.headers, content=asked.content)
            answer = delivery.answer
            self._judge.rule(
                httpx.Response(answer.status, headers=answer.headers, content=answer.content, request=request)
            )
        return delivery


@pytest.fixture
def platform(request: pytest.FixtureRequest, judge: Judge) -> Iterator[Any]:
    """The real server, or the fake where a test is parametrised so; on fresh data."""
    if getattr(request, "param", "server") == "server":
        server: ReferenceServer = request.getfixturevalue("redcore_server")
        server.lab.reset()
        yield server
        server.lab.assert_all_used()
        return
    with JudgedFake(judge) as fake:
        yield fake
        fake.assert_all_used()


@pytest.fixture
def lab(platform: Any) -> Lab:
    """The lab of the platform."""
    laboratory: Lab = platform.lab
    return laboratory


@pytest.fixture
def call(connect: Callable[..., Caller], platform: Any) -> Caller:
    """A caller with the seeded API key, which has all scopes, on fresh data."""
    return connect(**platform.arguments)


@pytest.fixture
def session(connect: Callable[..., Caller], platform: Any) -> Caller:
    """A caller with the seeded OAuth application, on fresh data."""
    return connect(**platform.application)


@pytest.fixture
def visitor(redcore_server: ReferenceServer) -> Iterator[Visitor]:
    """A new browser."""
    with httpx.Client(trust_env=False) as http:
        yield Visitor(redcore_server.origin, http)


@pytest.fixture
def person(redcore_server: ReferenceServer, redcore_lab: Lab, visitor: Visitor) -> Person:
    """That person at that browser."""
    return new_person(redcore_server, visitor)


@pytest.fixture
def actor(person: Person, visitor: Visitor) -> Actor:
    """That person at that browser."""
    return Actor(person, visitor)


@pytest.fixture
def attacker(redcore_server: ReferenceServer, redcore_lab: Lab) -> Iterator[Attacker]:
    """An outsider, with an application of their own choice, on fresh data."""
    with httpx.Client(trust_env=False) as http:
        yield Attacker(redcore_server, http, new_application(redcore_server))
