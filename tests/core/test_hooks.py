"""What hooks and observers receive about a call, and what they may do to it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from tests.core.world import BASE_URL, GET, ORIGIN, START, World, refusal, tokens, user

from redcore import AsyncHooks, Attempt, AttemptResult, Hooks
from redcore._base.operation import Operation
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore._call.steps import Send
from redcore._spec import operations
from redcore.exceptions import ArgumentError, NetworkError, NotFoundError, RedcoreAPIError

APP = Credentials(client_id="app_1", client_secret="s3cret")


class Notes:
    """Hooks that keep their arguments."""

    def __init__(self) -> None:
        self.before: list[Attempt] = []
        self.after: list[AttemptResult] = []
        self.hooks = Hooks(before_attempt=self.before.append, after_attempt=self.after.append)


class Recorder:
    """An observer of calls and of a call, which records the events in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def started(self, operation: Operation[Any]) -> Recorder:
        self.events.append(("started", operation.name))
        return self

    def attempt_started(self, attempt: Attempt) -> Mapping[str, str]:
        self.events.append(("attempt", attempt.operation, attempt.number))
        return {"traceparent": "00-1"}

    def attempt_ended(self, result: AttemptResult) -> None:
        self.events.append(("result", result.status_code, type(result.error).__name__))

    def waiting(self, seconds: float, reason: str) -> None:
        self.events.append((reason, seconds))

    def ended(self, error: BaseException | None) -> None:
        self.events.append(("ended", type(error).__name__))


def observed(world: World) -> Recorder:
    """Attach a recorder to the calls of a world."""
    recorder = Recorder()
    world.engine = attrs.evolve(world.engine, observers=(recorder,))
    return recorder


class TestWhatHooksAreTold:
    def test_before_an_attempt(self) -> None:
        """Operation, URL, attempt number and headers."""
        world, notes = World(user()), Notes()

        world.call(GET, hooks=notes.hooks)

        (attempt,) = notes.before
        assert (attempt.operation, attempt.number) == ("users_get", 1)
        assert (attempt.method, attempt.url) == ("GET", f"{BASE_URL}/users/usr_1")
        assert attempt.request_id == attempt.headers["x-request-id"] == world.requests[0].headers["X-Request-ID"]

    def test_no_secret(self) -> None:
        """Neither keys nor values of added headers are shown, only that they are present."""
        world, notes = World(user(), credentials=Credentials(api_key="rk_canary")), Notes()

        world.call(GET, hooks=notes.hooks, headers={"x-api-key": "canary"})

        (attempt,) = notes.before
        assert (attempt.headers["Authorization"], attempt.headers["X-Api-Key"]) == ("[hidden]", "[hidden]")
        assert "canary" not in repr((attempt, dict(attempt.headers), notes.after))
        assert b"canary" not in pickle.dumps((attempt, notes.after))

    def test_after_an_answer(self) -> None:
        """Status and headers of the answer, and how long it took."""

        def slow(_: object) -> Any:
            world.time += 2.5
            return refusal(404, "A", x_trace="7")

        world, notes = World(slow), Notes()

        with pytest.raises(NotFoundError):
            world.call(GET, hooks=notes.hooks)

        (result,) = notes.after
        assert (result.status_code, result.duration_s, result.error) == (404, 2.5, None)
        assert result.headers is not None
        assert result.headers["X-Trace"] == "7"
        assert result.attempt is notes.before[0]

    def test_after_no_answer(self) -> None:
        """The error in place of the answer."""
        lost = NetworkError("reset")
        world, notes = World(lost), Notes()

        with pytest.raises(NetworkError):
            world.call(operations.users_update("usr_1"), hooks=notes.hooks, deadline_s=0.5)

        (result,) = notes.after
        assert (result.status_code, result.headers, result.error) == (None, None, lost)

    def test_every_attempt(self) -> None:
        """Retries count on; a request for a token is an attempt of its own operation; a repeated call is one more."""
        world, notes = World(tokens(), refusal(500), refusal(401), tokens(), user(), credentials=APP), Notes()

        world.call(GET, hooks=notes.hooks)

        asked = ["auth_token", "users_get", "users_get", "auth_token", "users_get"]
        assert [(attempt.operation, attempt.number) for attempt in notes.before] == [
            *zip(asked, [1, 1, 2, 2, 3], strict=True)
        ]
        assert [result.status_code for result in notes.after] == [200, 500, 401, 200, 200]
        assert len({attempt.request_id for attempt in notes.before}) == 1
        assert notes.before[0].url == f"{ORIGIN}/oauth/token"

    def test_a_wait_comes_after_the_hook(self) -> None:
        """The result of an attempt is reported before the wait for the next."""
        world = World(refusal(500), user())
        sleeps_at_the_hook: list[int] = []

        world.call(GET, hooks=Hooks(after_attempt=lambda _: sleeps_at_the_hook.append(len(world.slept))))

        assert sleeps_at_the_hook == [0, 1]

    def test_one_hook_alone(self) -> None:
        """Either hook can be left out."""
        world, notes = World(user(), user(), user()), Notes()

        world.call(GET, hooks=Hooks(before_attempt=notes.before.append))
        world.call(GET, hooks=Hooks(after_attempt=notes.after.append))
        world.call(GET, hooks=Hooks())

        assert (len(notes.before), len(notes.after)) == (1, 1)


class TestHeadersOfHooks:
    def test_headers_returned_by_a_hook_are_sent(self) -> None:
        """Headers returned by before_attempt are sent with that attempt, and spelled as the client spells them."""
        world = World(refusal(500), user())
        hooks = Hooks(before_attempt=lambda attempt: {"X-Number": str(attempt.number), "user-agent": "app/1"})

        world.call(GET, hooks=hooks)

        assert [request.headers["x-number"] for request in world.requests] == ["1", "2"]
        assert [request.headers["User-Agent"] for request in world.requests] == ["app/1", "app/1"]
        assert "user-agent" not in world.requests[0].headers

    @pytest.mark.parametrize("name", ["Authorization", "X-Request-ID", "x-request-id", "Idempotency-Key", "X A"])
    def test_reserved_headers_are_refused(self, name: str) -> None:
        """A header that belongs to the client or the call is refused before sending; the value is not repeated."""
        world = World()

        with pytest.raises(ArgumentError) as caught:
            world.call(GET, hooks=Hooks(before_attempt=lambda _: {name: "canary"}))

        assert name.lower() in str(caught.value).lower()
        assert "canary" not in str(caught.value)
        assert world.sent == []

    def test_a_hook_that_does_not_return_a_mapping(self) -> None:
        """A return value that is not a mapping is refused."""
        returned: Any = "X-Trace: 1"
        world = World()

        with pytest.raises(ArgumentError, match="must return headers or None, not str"):
            world.call(GET, hooks=Hooks(before_attempt=lambda _: returned))


class TestHooksThatRaise:
    @pytest.mark.parametrize("raised", [ZeroDivisionError("mine"), NetworkError("of another client")])
    def test_a_before_attempt_hook_that_raises(self, raised: Exception) -> None:
        """The error reaches the caller unchanged; nothing is sent or retried, even if it is one of the SDK's."""
        world = World()

        with pytest.raises(type(raised)) as caught:
            world.call(GET, hooks=Hooks(before_attempt=failing(raised)))

        assert caught.value is raised
        assert (world.sent, world.slept) == ([], [])

    @pytest.mark.parametrize("answered", [user(), refusal(500), NetworkError("reset")])
    def test_an_after_attempt_hook_that_raises(self, answered: Any) -> None:
        """The error takes the place of value, retry and error alike."""
        world, raised = World(answered), ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError) as caught:
            world.call(GET, hooks=Hooks(after_attempt=failing(raised)))

        assert caught.value is raised
        assert (len(world.sent), world.slept) == (1, [])

    def test_a_refreshed_pair_is_kept_when_a_hook_raises(self) -> None:
        """A new pair is stored and reported before the hook is called: a rotated refresh token is never lost."""
        world = World(tokens("access-9"), credentials=APP)

        with pytest.raises(ZeroDivisionError):
            world.call(GET, hooks=Hooks(after_attempt=failing(ZeroDivisionError())))
        world.script = [user()]
        world.call(GET)

        assert [pair["access_token"] for pair in world.notified] == ["access-9"]
        assert world.requests[1].headers["Authorization"] == "Bearer access-9"

    def test_the_lock_is_released(self) -> None:
        """A hook that fails during a refresh leaves no other call waiting."""
        world = World(credentials=APP)

        with pytest.raises(ZeroDivisionError):
            world.call(GET, hooks=Hooks(before_attempt=failing(ZeroDivisionError())))
        world.script = [tokens(), user()]

        assert world.call(GET).id == "usr_1"


def failing(error: Exception) -> Any:
    """A hook that raises."""

    def fail(_: object) -> None:
        raise error

    return fail


class TestObservers:
    def test_what_observers_receive(self) -> None:
        """A call from start to end, with each wait and its reason, in order."""
        world = World(refusal(404, "A", **used_up()), refusal(500), NetworkError("reset"), user())
        with pytest.raises(NotFoundError):
            world.call(GET)
        recorder = observed(world)

        world.call(GET)

        assert recorder.events == [
            ("started", "users_get"),
            ("pacing", pytest.approx(30.1)),
            ("attempt", "users_get", 1),
            ("result", 500, "NoneType"),
            ("retry", 1.0),
            ("attempt", "users_get", 2),
            ("result", None, "NetworkError"),
            ("retry", 2.0),
            ("attempt", "users_get", 3),
            ("result", 200, "NoneType"),
            ("ended", "NoneType"),
        ]

    def test_headers_of_observers_are_sent(self) -> None:
        """A trace continues at the server."""
        world = World(user())
        observed(world)

        world.call(GET, hooks=Hooks(before_attempt=lambda _: {"X-Mine": "1"}))

        headers = world.requests[0].headers
        assert (headers["traceparent"], headers["x-mine"]) == ("00-1", "1")

    def test_the_error_of_the_call(self) -> None:
        """The end of a failed call is reported with its error, also with that of a hook."""
        world = World(refusal(404), user())
        recorder = observed(world)

        with pytest.raises(RedcoreAPIError):
            world.call(GET)
        with pytest.raises(ZeroDivisionError):
            world.call(GET, hooks=Hooks(after_attempt=failing(ZeroDivisionError())))

        assert [event for event in recorder.events if event[0] == "ended"] == [
            ("ended", "NotFoundError"),
            ("ended", "ZeroDivisionError"),
        ]

    def test_a_call_that_is_given_up(self) -> None:
        """A call that is cancelled while it waits for an answer is reported too, and calls no hook."""
        world, notes = World(), Notes()
        recorder = observed(world)
        flow = world.engine.call(GET, CallOptions(hooks=AsyncHooks(after_attempt=notes.after.append)))
        assert isinstance(next(flow), Send)

        flow.close()

        assert recorder.events[-2:] == [("result", None, "NoneType"), ("ended", "GeneratorExit")]
        assert notes.after == []

    def test_an_observer_may_skip_a_call(self) -> None:
        """An observer may skip a call, which then runs unobserved."""

        class Passing:
            def started(self, _: Operation[Any], /) -> None: ...

        world = World(user())
        world.engine = attrs.evolve(world.engine, observers=(Passing(),))

        assert world.engine.call(GET, CallOptions()).__name__ == "_call"  # type: ignore[attr-defined]  # of generators
        assert world.call(GET).id == "usr_1"


def used_up() -> dict[str, str]:
    """Headers of the last permitted answer of a window."""
    return {
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(START) + 30),
    }
