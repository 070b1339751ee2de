"""From the first call of a client to its end: loops, threads, and the end of the interpreter."""

from __future__ import annotations

import asyncio
import gc
import pickle
import random
import socket
import subprocess
import sys
import threading
import tracemalloc
import warnings
from typing import Any, cast

import anyio
import httpx
import pytest
from tests.client.async_clients import KEY, ON_ASYNCIO, opened
from tests.client.colours import Colour, named
from tests.client.loopback import Loopback, Reply, Seen, refusal, stored, user

from redcore import AsyncClient, Client, ConfigurationError


class Forgetful(list[Any]):
    """A cache that stores nothing."""

    def append(self, _: Any) -> None:
        pass


def spare(client: Any) -> int:
    """The number of idle connections of the running loop when no call holds any."""
    pool = cast("Any", client._transport)._own._pools.here()
    assert pool.slots.value == 100
    return sum(len(route) for route in pool.routes._routes.values())


DAEMONS = """
import socket, sys, threading, time
from redcore import AsyncClient, Client
import asyncio

class Endless:
    def read(self, size):
        time.sleep(0.01)
        return bytes(100)

async def calls():
    client = AsyncClient(**options)
    while True:
        await client.users.get_me()

def resolve(*_, **__):
    time.sleep(60)

base_url = sys.argv[1]
options = {"api_key": "k", "base_url": base_url, "timeout": 60}
ways = [base_url, base_url.replace("/v1", "/slow"), base_url.replace("/v1", "/bad")]
client, slow, bad = (Client(**{**options, "base_url": way}) for way in ways)
client.users.get_me()
unresolved = Client(**{**options, "base_url": "https://elsewhere.invalid/v1"})
found, socket.getaddrinfo = socket.getaddrinfo, resolve
for call in (
    lambda: [client.users.get_me() for _ in range(10**9)],
    slow.users.get_me,
    bad.users.get_me,
    lambda: list(bad.users.list_all(concurrency=4)),
    lambda: client.files.upload(file=Endless(), name="a"),
    unresolved.users.get_me,
    lambda: asyncio.run(calls()),
):
    threading.Thread(target=call, daemon=True).start()
time.sleep(0.5)
"""


def drop(clients: list[Any]) -> None:
    clients.clear()
    gc.collect()


EACH_OF_OURS = [("sync", None), ("sync", "httpcore"), ("asyncio", None), ("asyncio", "httpcore"), ("trio", None)]


@ON_ASYNCIO
def test_one_client_in_two_loops(server: Loopback, transport: Any) -> None:
    """A client that was used in one loop works in the next; the connections of the first end with it."""
    client = opened(server, transport=transport)

    async def twice() -> list[str]:
        return [(await client.users.get("usr_1")).id for _ in range(2)]

    assert asyncio.run(twice()) == ["usr_1"] * 2
    assert server.ended.acquire(timeout=30)
    assert asyncio.run(twice()) == ["usr_1"] * 2
    assert server.ended.acquire(timeout=30)
    assert server.accepted == 2
    asyncio.run(client.aclose())


def test_one_client_in_asyncio_and_trio(server: Loopback) -> None:
    """The loops may even be of different kinds."""
    client = opened(server)

    for backend in ("trio", "asyncio", "trio"):
        assert anyio.run(client.users.get, "usr_1", backend=backend).id == "usr_1"
        assert server.ended.acquire(timeout=30)

    anyio.run(client.aclose)


@ON_ASYNCIO
def test_one_client_in_the_loops_of_two_threads(server: Loopback, transport: Any) -> None:
    """Each loop has connections of its own, at the same time."""
    client = opened(server, transport=transport)
    both = threading.Barrier(2, timeout=30)
    found: list[str] = []

    async def calls() -> None:
        await client.users.get_me()
        both.wait()
        found.append((await client.users.get("usr_1")).id)
        both.wait()

    threads = [threading.Thread(target=asyncio.run, args=(calls(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert (found, server.accepted) == (["usr_1"] * 2, 2)
    asyncio.run(client.aclose())


def test_a_loop_that_is_closed_bare(server: Loopback) -> None:
    """The connections of a loop that was closed without ending its generators are dropped."""
    client = opened(server)
    bare = asyncio.new_event_loop()
    bare.run_until_complete(client.users.get_me())
    with warnings.catch_warnings():  # asyncio's own, about the transports that were left open
        warnings.simplefilter("ignore", ResourceWarning)
        bare.close()
        asyncio.run(client.users.get_me())
        gc.collect()
    sent_over = cast("Any", client._transport)._own

    assert len(sent_over._pools) == 0
    asyncio.run(client.aclose())


def test_a_call_without_an_event_loop(server: Loopback) -> None:
    """The error says that an event loop is needed, whatever needed it first: a connection or a lock."""
    application = AsyncClient(client_id="app_1", client_secret="s", base_url=server.base_url)

    for client in (opened(server, max_retries=0), application):
        with pytest.raises(ConfigurationError, match="needs a running event loop of asyncio or trio"):
            client.users.get_me().send(None)


@pytest.mark.parametrize("colour", EACH_OF_OURS, ids=named)
@pytest.mark.parametrize("transfer", [False, True])
def test_a_client_that_is_closed_during_a_call(call: Colour, make: Any, server: Loopback, *, transfer: bool) -> None:
    """The call ends as usual, and leaves no connection open."""
    client = make()

    def answer(connection: socket.socket) -> None:
        call.close(client)
        connection.sendall((stored(b"x") if transfer else user()).encode())

    server.answer = lambda _: answer

    made = call(client.files.upload, file=b"x") if transfer else call(client.users.get_me)

    assert made.id == ("file_1" if transfer else "usr_1")
    assert server.ended.acquire(timeout=30)


def test_a_client_that_was_never_closed(server: Loopback) -> None:
    """It warns once when it is collected, and says how to close it; its sockets and `with_options` do not warn."""
    clients = [Client(api_key=KEY, base_url=server.base_url)]
    clients[0].with_options(timeout=5).users.get_me()

    with pytest.warns(ResourceWarning, match=r"never closed; make it with `with Client\(\.\.\.\)") as caught:
        drop(clients)

    assert [str(one.message).partition(";")[0] for one in caught] == ["a client was used and never closed"]
    assert server.ended.acquire(timeout=30)


@pytest.mark.parametrize(
    ("backend", "transport"),
    [("asyncio", None), ("asyncio", "httpcore"), ("asyncio", "aiohttp"), ("trio", None)],
)
def test_an_async_client_that_was_never_closed(server: Loopback, backend: str, transport: Any) -> None:
    """As above; its connections are closed all the same, while the loop runs on."""

    async def main() -> None:
        clients = [opened(server, transport=transport)]
        await clients[0].users.get_me()
        with pytest.warns(ResourceWarning, match="or call `await client.aclose"):
            drop(clients)
        assert await anyio.to_thread.run_sync(server.ended.acquire, True, 5)  # noqa: FBT003 (of the semaphore)

    anyio.run(main, backend=backend)


def test_clients_that_need_not_be_closed(call: Colour, server: Loopback) -> None:
    """No warning for a client that was never used, was closed, or uses a given HTTP client."""
    brought: Any = (httpx.Client if call.name == "sync" else httpx.AsyncClient)()
    call.client(base_url=server.base_url)
    used = call.client(base_url=server.base_url)
    call(used.users.get_me)
    call.close(used)
    call(call.client(base_url=server.base_url, http_client=brought).users.get_me)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del used
        gc.collect()

    call(brought.close if call.name == "sync" else brought.aclose)


@pytest.mark.parametrize("ending", ["", "client.close()", "import sys; sys.modules.clear()"])
def test_the_end_of_the_interpreter_is_silent(server: Loopback, ending: str) -> None:
    """A client in a module lives as long as the program: there is no warning when both end."""
    program = (
        "import asyncio, redcore\n"
        f"client = redcore.Client(api_key='k', base_url={server.base_url!r})\n"
        f"other = redcore.AsyncClient(api_key='k', base_url={server.base_url!r})\n"
        f"client.users.get_me(); asyncio.run(other.users.get_me())\n{ending}\n"
    )

    run = subprocess.run([sys.executable, "-W", "default", "-c", program], check=True, capture_output=True, text=True)  # noqa: S603

    assert run.stderr == ""


def test_calls_at_interpreter_shutdown(server: Loopback) -> None:
    """Handlers that run after the SDK's own, of `atexit` or of logging, can still make calls; there is no warning."""
    program = (
        "import asyncio, atexit, logging\n"
        "made = []\n"
        "def last(): made[0].users.get('usr_1'); asyncio.run(made[1].users.get('usr_2'))\n"
        "class Handler(logging.Handler):\n"
        "    def emit(self, _): pass\n"
        "    def flush(self): made and made[0].users.get('usr_3')\n"
        "atexit.register(last)\n"
        "logging.getLogger().addHandler(Handler())\n"
        "import redcore\n"
        f"options = {{'api_key': 'k', 'base_url': {server.base_url.replace('127.0.0.1', 'localhost')!r}}}\n"
        "made += [redcore.Client(**options), redcore.AsyncClient(**options)]\n"
        "made[0].users.get_me()\n"
    )

    run = subprocess.run([sys.executable, "-W", "default", "-c", program], check=True, capture_output=True, text=True)  # noqa: S603

    assert run.stderr == ""
    assert [seen.path.removeprefix("/v1/") for seen in server.seen] == [
        "me",
        "users/usr_1",
        "users/usr_2",
        "users/usr_3",
    ]


def test_daemon_threads_end_with_the_interpreter(server: Loopback) -> None:
    """Whatever their calls wait for: the process ends at once, without output."""
    gone = server.gone

    def answer(seen: Seen) -> Reply:
        if seen.path.startswith("/slow"):
            gone.wait(60)
        return refusal(503, Retry_After="60") if seen.path.startswith("/bad") else user()

    server.answer = answer
    command = [sys.executable, "-W", "default", "-c", DAEMONS, server.base_url]

    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)  # noqa: S603 (ours)

    assert run.stderr == ""


@pytest.mark.parametrize(("backend", "transport"), [("asyncio", None), ("asyncio", "httpcore"), ("trio", "httpcore")])
def test_cancelled_calls_leave_nothing_behind(server: Loopback, backend: str, transport: Any) -> None:
    """A thousand calls are cancelled at random: while they wait for a connection, connect, send, read."""
    dice = random.Random(4)  # noqa: S311 (no secret)

    cut: list[bool] = []

    async def cancelled(client: AsyncClient) -> None:
        with anyio.move_on_after(dice.random() * 0.02) as scope:
            await client.users.get("usr_1")
        cut.append(scope.cancelled_caught)

    async def main() -> None:
        async with opened(server, max_retries=0, transport=transport) as client:
            for _ in range(5):
                async with anyio.create_task_group() as group:
                    for _ in range(200):
                        group.start_soon(cancelled, client)
            assert spare(client) <= 100
            assert (await client.users.get("usr_1")).id == "usr_1"

    anyio.run(main, backend=backend)

    assert sum(cut) > 100
    for _ in range(server.accepted):
        assert server.ended.acquire(timeout=30)


@ON_ASYNCIO
def test_tasks_that_asyncio_cancels(server: Loopback, transport: Any) -> None:
    """The same for `task.cancel()`, which passes through the shields of anyio."""
    dice = random.Random(5)  # noqa: S311 (no secret)

    failed: list[BaseException] = []

    def cancel(task: asyncio.Task[Any]) -> None:
        for _ in range(dice.choice([1, 1, 2])):
            task.cancel()

    async def main() -> None:
        async with opened(server, max_retries=0, transport=transport) as client:
            for _ in range(5):
                tasks = [asyncio.create_task(client.users.get("usr_1")) for _ in range(200)]
                for task in tasks:
                    asyncio.get_running_loop().call_later(dice.random() * 0.02, cancel, task)
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                failed.extend(each for each in ended if isinstance(each, BaseException))
            assert {type(each) for each in failed} == {asyncio.CancelledError}
            assert len(failed) > 100
            assert transport == "aiohttp" or spare(client) <= 100
            assert (await client.users.get("usr_1")).id == "usr_1"

    asyncio.run(main())

    for _ in range(server.accepted):
        assert server.ended.acquire(timeout=30)


def test_the_memory_of_many_calls(call: Colour, make: Any, server: Loopback) -> None:
    """A thousand calls leave no more behind than noise."""
    client = make()
    server.seen = Forgetful()

    def calls(number: int) -> int:
        for _ in range(number):
            call(client.users.get, "usr_1")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = calls(200)
        after = calls(1000)
    finally:
        tracemalloc.stop()

    assert after - before < 50_000  # bytes: 50 a call


def test_pickled_clients_answer(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that was unpickled makes calls."""
    monkeypatch.setenv("REDCORE_API_KEY", KEY)
    server.answer = lambda _: user()
    with Client(base_url=server.base_url) as client, pickle.loads(pickle.dumps(client)) as again:  # noqa: S301 (ours)
        assert again.users.get("usr_1") == client.users.get("usr_1")
