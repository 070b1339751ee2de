"""Hooks around the attempts of real calls, in all colours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from tests.answers import META, USER
from tests.client.colours import Awaiting, Colour, named
from tests.client.loopback import Loopback, Reply, pair, refusal, reply, reset, stored, user

from redcore import AsyncHooks, Attempt, AttemptResult, ConfigurationError, Hooks, NetworkError

BACKENDS = ["asyncio", "trio"]


class Notes:
    """Hooks that keep their arguments."""

    def __init__(self) -> None:
        self.before: list[Attempt] = []
        self.after: list[AttemptResult] = []
        self.hooks = Hooks(before_attempt=self.before.append, after_attempt=self.after.append)


@pytest.mark.usefixtures("redcore_time")
def test_every_attempt(call: Colour, make: Any, server: Loopback) -> None:
    """Hooks get each request that the server sees, including the token request and the broken one."""
    notes = Notes()
    client = make(client_id="app_1", client_secret="s3cret", hooks=notes.hooks)
    server.script(pair(1), reset, refusal(503), user())

    call(client.users.get, "usr_1")

    assert [attempt.operation for attempt in notes.before] == ["auth_token", "users_get", "users_get", "users_get"]
    assert [result.status_code for result in notes.after] == [200, None, 503, 200]
    assert isinstance(notes.after[1].error, NetworkError)
    assert all(result.duration_s > 0 for result in notes.after)
    assert [attempt.url.removeprefix(server.origin) for attempt in notes.before] == [seen.path for seen in server.seen]


def test_a_derived_client_has_its_own_hooks(call: Colour, make: Any) -> None:
    """with_options replaces the hooks, and None removes them."""
    first, second = Notes(), Notes()
    client = make(hooks=first.hooks)

    call(client.with_options(hooks=second.hooks).users.get_me)
    call(client.with_options(hooks=None).users.get_me)
    call(client.with_options(timeout=5).users.get_me)

    assert (len(first.before), len(second.before)) == (1, 1)


@pytest.mark.usefixtures("redcore_time")
def test_headers_of_a_hook_arrive(call: Colour, make: Any, server: Loopback) -> None:
    """Headers returned by before_attempt are on the wire."""
    client = make(hooks=Hooks(before_attempt=lambda attempt: {"X-Number": str(attempt.number)}))
    server.script(refusal(503), user())

    call(client.users.get_me)

    assert [seen.headers["x-number"] for seen in server.seen] == ["1", "2"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_coroutine_functions(portals: Any, server: Loopback, backend: str) -> None:
    """An AsyncClient awaits its hooks."""
    call = Awaiting(backend, portals[backend])
    events: list[object] = []

    async def before(attempt: Attempt) -> dict[str, str]:
        await anyio.lowlevel.checkpoint()
        events.append(attempt)
        return {"X-Trace": "1"}

    async def after(result: AttemptResult) -> None:
        await anyio.lowlevel.checkpoint()
        events.append(result)

    client = call.client(base_url=server.base_url, hooks=AsyncHooks(before_attempt=before, after_attempt=after))
    call(client.users.get_me)
    call.close(client)

    assert [type(each) for each in events] == [Attempt, AttemptResult]
    assert server.seen[0].headers["x-trace"] == "1"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_hook_can_be_cancelled(portals: Any, server: Loopback, backend: str) -> None:
    """A hook that never ends is cancelled with its task; the lock of the refresh that it held up is free again."""
    call = Awaiting(backend, portals[backend])
    server.answer = lambda seen: pair(1) if seen.path == "/oauth/token" else user()

    async def stuck(_: Attempt) -> None:
        await anyio.sleep_forever()

    async def given_up(client: Any) -> bool:
        with anyio.move_on_after(0.01) as scope:
            await client.users.get_me()
        return scope.cancelled_caught

    client = call.client(base_url=server.base_url, client_id="a", client_secret="s")
    assert call(given_up, client.with_options(hooks=AsyncHooks(before_attempt=stuck)))
    assert call(client.users.get_me).id == "usr_1"
    call.close(client)


def test_a_hook_that_raises(call: Colour, make: Any, server: Loopback) -> None:
    """Its error reaches the caller, and the next call uses the same connection."""
    raised = ZeroDivisionError("mine")

    def fail(_: AttemptResult) -> None:
        raise raised

    client = make()
    with pytest.raises(ZeroDivisionError) as caught:
        call(client.with_options(hooks=Hooks(after_attempt=fail)).users.get_me)
    call(client.users.get_me)

    assert caught.value is raised
    assert len(server.seen) == 2
    assert server.accepted == 1


async def later(_: object) -> None: ...


def hidden(value: object) -> Awaitable[None]:
    """Return a coroutine, though it is no coroutine function."""
    return later(value)


@pytest.mark.parametrize(
    "use",
    [
        lambda make: make(hooks=AsyncHooks(after_attempt=hidden)).users.get_me(),
        lambda make: make(on_token_refreshed=hidden).users.get_me(),
        lambda make: make().workflows.wait("wfr_1", on_progress=hidden),
        lambda make: make().files.download("file_1", on_progress=hidden),
        lambda make: make().files.upload(file=b"content", on_progress=hidden),
    ],
    ids=["hook", "on_token_refreshed", "wait", "download", "upload"],
)
@pytest.mark.parametrize("colour", [("sync", None)], ids=named)
def test_a_coroutine_in_a_blocking_client(make: Any, server: Loopback, use: Callable[[Any], object]) -> None:
    """The error says so, whatever kind of callable returned it."""
    run = {"id": "wfr_1", "workflow": "w", "status": "queued", "progress": 0.0, "input": {}, "result": None}
    run |= {"error": None, "created_at": USER["created_at"], "started_at": None, "finished_at": None}
    answers = {
        "/oauth/token": pair(1),
        "/v1/workflow-runs/wfr_1": reply({"data": run, "meta": META}),
        "/v1/files/file_1/content": Reply(200, b"content"),
        "/v1/files": stored(b"content"),
    }
    server.answer = lambda seen: answers.get(seen.path, user())

    with pytest.raises(ConfigurationError, match="a callback returned a coroutine; use AsyncClient"):
        use(partial(make, client_id="app_1", client_secret="s3cret"))


@pytest.mark.parametrize(
    "use",
    [
        lambda make: make(hooks=AsyncHooks(before_attempt=later)).users.get_me(),
        lambda make: make().with_options(hooks=AsyncHooks(after_attempt=later)).users.get_me(),
        lambda make: make().workflows.wait("wfr_1", on_progress=later),
        lambda make: make().files.download("file_1", on_progress=later),
        lambda make: make().files.upload(file=b"content", on_progress=partial(later)),
    ],
    ids=["hooks", "with_options", "wait", "download", "upload"],
)
@pytest.mark.parametrize("colour", [("sync", None)], ids=named)
def test_a_coroutine_function_in_a_blocking_client(make: Any, server: Loopback, use: Callable[[Any], object]) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match="is a coroutine function; use AsyncClient"):
        use(make)

    assert server.seen == []
