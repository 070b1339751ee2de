"""However many calls find an expired token, one of them refreshes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from tests.client.loopback import Loopback, Reply, Seen, pair, refusal, user

from redcore import AsyncClient, AuthenticationError, Client, MemoryCache, RedcoreError, RequestTimeoutError
from redcore._transport import lifecycle
from redcore._transport.aiohttp_client import AiohttpTransport

THREADS = 16
TASKS = 100
SESSION: dict[str, Any] = {"access_token": "access-1", "refresh_token": "refresh-1"}


class Rotating:
    """An authorization server that rotates refresh tokens and accepts each once."""

    def __init__(self) -> None:
        self.number = 1
        self.guard = threading.Lock()

    def __call__(self, seen: Seen) -> Reply:
        with self.guard:
            if seen.path != "/oauth/token":
                fresh = seen.headers["authorization"] == f"Bearer access-{self.number}" and self.number > 1
                return user() if fresh else refusal(401, "TOKEN_EXPIRED")
            if seen.form["refresh_token"] != f"refresh-{self.number}":
                return Reply(400, b'{"error": "invalid_grant"}')
            self.number += 1
            return pair(self.number)


@pytest.fixture
def rotating(server: Loopback) -> Loopback:
    server.answer = Rotating()
    return server


def in_threads(work: list[Callable[[], Any]]) -> list[BaseException]:
    """Run all at once; return the exceptions."""
    raised: list[BaseException] = []
    gate = threading.Barrier(len(work))

    def run(function: Callable[[], Any]) -> None:
        gate.wait()
        try:
            function()
        except BaseException as error:  # noqa: BLE001 (reported to the test)
            raised.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_threads(rotating: Loopback) -> None:
    """16 threads that share a client make one POST /oauth/token."""
    with Client(base_url=rotating.base_url, **SESSION) as client:
        raised = in_threads([lambda: client.users.get("usr_1")] * THREADS)

    assert raised == []
    assert len(rotating.asked("/oauth/token")) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks(rotating: Loopback, backend: str) -> None:
    """100 tasks that share a client make one POST /oauth/token."""

    async def main() -> None:
        async with AsyncClient(base_url=rotating.base_url, **SESSION) as client, anyio.create_task_group() as group:
            for _ in range(TASKS):
                group.start_soon(client.users.get, "usr_1")

    anyio.run(main, backend=backend)

    assert len(rotating.asked("/oauth/token")) == 1


def test_threads_and_loops_that_share_a_cache(rotating: Loopback) -> None:
    """16 threads with a client each, and two event loops, sharing one MemoryCache, make one POST /oauth/token."""
    cache = MemoryCache()
    pairs: list[dict[str, Any]] = []
    options: dict[str, Any] = {
        "base_url": rotating.base_url,
        "token_cache": cache,
        "on_token_refreshed": pairs.append,
        **SESSION,
    }

    def block() -> None:
        with Client(**options) as client:
            client.users.get("usr_1")

    async def main() -> None:
        async with AsyncClient(**options) as client, anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(client.users.get, "usr_1")

    raised = in_threads([block] * THREADS + [lambda: anyio.run(main), lambda: anyio.run(main, backend="trio")])

    assert raised == []
    assert len(rotating.asked("/oauth/token")) == 1
    assert [pair["refresh_token"] for pair in pairs] == ["refresh-2"]


class Held:
    """An authorization server that holds its answer until the test releases it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()
        self.outcome = pair(2)

    def __call__(self, seen: Seen) -> Reply:
        if seen.path != "/oauth/token":
            return user()
        self.asked.set()
        self.go_on.wait(60.0)
        return self.outcome


@pytest.fixture
def held(server: Loopback) -> Held:
    server.answer = held = Held()
    return held


def kept(client: AsyncClient) -> str | None:
    """Return the refresh token that the client would use next."""
    tokens = client._engine.auth._store.known()
    return tokens.refresh_token if tokens else None


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancellation_during_a_refresh(server: Loopback, held: Held, backend: str) -> None:
    """A scope that is cancelled while the pair is on its way loses neither the pair nor the lock."""
    refresh_tokens: list[str] = []

    async def note(tokens: dict[str, Any]) -> None:
        await anyio.lowlevel.checkpoint()
        refresh_tokens.append(tokens["refresh_token"])

    async def main() -> None:
        options: dict[str, Any] = {"base_url": server.base_url, "refresh_token": "refresh-1"}
        async with AsyncClient(**options, on_token_refreshed=note) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.users.get, "usr_1")
                await anyio.to_thread.run_sync(held.asked.wait, 60.0)
                group.cancel_scope.cancel()
                held.go_on.set()
            assert kept(client) == "refresh-2"
            await client.users.get("usr_1")

    anyio.run(main, backend=backend)

    assert len(server.asked("/oauth/token")) == 1
    assert refresh_tokens == ["refresh-2"]


@pytest.mark.parametrize("cancels", [1, 2])
def test_native_cancellation_during_a_refresh(server: Loopback, held: Held, cancels: int) -> None:
    """A plain task.cancel() of asyncio loses neither the pair nor the lock, and still cancels."""

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, refresh_token="refresh-1") as client:
            task = asyncio.create_task(client.users.get("usr_1"))
            await asyncio.to_thread(held.asked.wait, 60.0)
            for _ in range(cancels):
                task.cancel()
                await asyncio.sleep(0)
            held.go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert kept(client) == "refresh-2"
            await client.users.get("usr_1")

    asyncio.run(main())

    assert len(server.asked("/oauth/token")) == 1


@pytest.mark.parametrize("transport", ["direct", "httpcore", "aiohttp"])
def test_a_client_that_is_closed_during_a_refresh(server: Loopback, held: Held, transport: Any) -> None:
    """The new pair is kept, as the old one is dead; only then the connection is closed, whatever the transport."""

    async def main() -> None:
        client = AsyncClient(base_url=server.base_url, refresh_token="refresh-1", transport=transport)
        task = asyncio.create_task(client.users.get("usr_1"))
        await asyncio.to_thread(held.asked.wait, 60.0)
        await client.aclose()
        held.go_on.set()
        with pytest.raises(RedcoreError, match="this client is closed"):
            await task
        assert kept(client) == "refresh-2"

    asyncio.run(main())

    assert server.ended.acquire(timeout=30)


def test_exit_during_a_refresh_over_aiohttp(server: Loopback, held: Held) -> None:
    """An event loop in a daemon thread receives the pair, for which the exit waits, and sends no second request."""

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, refresh_token="refresh-1", transport="aiohttp") as client:
            task = asyncio.create_task(client.users.get("usr_1"))
            await asyncio.to_thread(held.asked.wait, 60.0)
            for owner in list(lifecycle._owners):
                if isinstance(owner, AiohttpTransport):
                    owner.let_go()
            held.go_on.set()
            await task

    asyncio.run(main())

    assert len(server.asked("/oauth/token")) == 1


def test_a_native_timeout_during_a_refresh(server: Loopback, held: Held) -> None:
    """A time-out of asyncio around a call is a TimeoutError, after the pair is stored."""

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, refresh_token="refresh-1") as client:
            loop = asyncio.get_running_loop()

            async def expire(limit: asyncio.Timeout) -> None:
                await asyncio.to_thread(held.asked.wait, 60.0)
                limit.reschedule(loop.time())
                loop.call_later(0.03, held.go_on.set)

            async def limited() -> None:
                async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
                    group.create_task(expire(limit))
                    await client.users.get("usr_1")

            with pytest.raises(TimeoutError):
                await limited()
            assert kept(client) == "refresh-2"

    asyncio.run(main())


class Noted:
    """A callback for new pairs, which the test can wait for."""

    def __init__(self) -> None:
        self.refresh_tokens: list[str] = []
        self.called = threading.Event()

    def __call__(self, tokens: dict[str, Any]) -> None:
        self.refresh_tokens.append(tokens["refresh_token"])
        self.called.set()


@pytest.mark.parametrize("transport", ["direct", "httpcore"])
def test_a_deadline_that_ends_during_a_refresh(server: Loopback, held: Held, transport: Any) -> None:
    """The call ends with its deadline; the pair on its way is stored and reported, and the next call has it."""
    noted = Noted()
    options: dict[str, Any] = {"base_url": server.base_url, "transport": transport, "on_token_refreshed": noted}

    with Client(refresh_token="refresh-1", **options) as client:
        with pytest.raises(RequestTimeoutError, match="deadline"):
            client.users.get("usr_1", deadline=0.2)
        held.go_on.set()
        client.users.get("usr_1")

    assert len(server.asked("/oauth/token")) == 1
    assert noted.called.wait(30.0)
    assert noted.refresh_tokens == ["refresh-2"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_deadline_that_ends_during_an_awaited_refresh(server: Loopback, held: Held, backend: str) -> None:
    """It is the same in a coroutine, in which a task finishes the refresh."""
    noted = Noted()

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, refresh_token="refresh-1", on_token_refreshed=noted) as client:
            with pytest.raises(RequestTimeoutError, match="deadline"):
                await client.users.get("usr_1", deadline=0.2)
            held.go_on.set()
            await client.users.get("usr_1")

    anyio.run(main, backend=backend)

    assert len(server.asked("/oauth/token")) == 1
    assert noted.refresh_tokens == ["refresh-2"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_that_ends_during_a_refresh(server: Loopback, held: Held, backend: str) -> None:
    """An event loop whose only call has ended with its deadline ends when the pair is stored."""
    cache = MemoryCache()
    options: dict[str, Any] = {"base_url": server.base_url, "refresh_token": "refresh-1", "token_cache": cache}

    async def main() -> None:
        async with AsyncClient(**options) as client:
            with pytest.raises(RequestTimeoutError, match="deadline"):
                await client.users.get("usr_1", deadline=0.2)
        held.go_on.set()

    anyio.run(main, backend=backend)
    with Client(**options) as client:
        client.users.get("usr_1")

    assert len(server.asked("/oauth/token")) == 1


def test_a_refusal_after_the_deadline(server: Loopback, held: Held) -> None:
    """A refresh token that is refused after the call's deadline is dead for the next call, which does not send it."""
    held.outcome = Reply(400, b'{"error": "invalid_grant"}')

    with Client(base_url=server.base_url, refresh_token="refresh-1") as client:
        with pytest.raises(RequestTimeoutError):
            client.users.get("usr_1", deadline=0.2)
        held.go_on.set()
        with pytest.raises(AuthenticationError, match="log in again"):
            client.users.get("usr_1")

    assert len(server.asked("/oauth/token")) == 1
