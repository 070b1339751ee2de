"""The strategies of tenacity in a retry policy, and those that are invalid."""

from __future__ import annotations

import contextlib
import gc
import math
import warnings
import weakref
from functools import partial
from typing import Any

import attrs
import pytest
from tenacity import (
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_before_delay,
    stop_never,
    wait_chain,
    wait_exception,
    wait_exponential,
    wait_fixed,
    wait_incrementing,
    wait_none,
    wait_random,
    wait_random_exponential,
)
from tenacity.asyncio.retry import async_retry_base
from tests.core.failures import empty
from tests.core.world import GET, Answer, World, refusal, user

from redcore._wire.custom_request import custom
from redcore.exceptions import (
    ArgumentError,
    ConfigurationError,
    NetworkError,
    NotFoundError,
    RedcoreAPIError,
    RedcoreError,
    ServerError,
)
from redcore.options import Retry


def always() -> Retry:
    """A policy that retries everything forever."""
    return Retry(stop=stop_never, wait=wait_fixed(5), retry=retry_if_exception(lambda _: True))


class Later(async_retry_base):
    """A strategy of tenacity's asyncio support, which must be awaited."""

    async def __call__(self, _: object) -> bool:  # type: ignore[override]  # as tenacity's own
        return True


def halves(low: float, high: float) -> float:
    """A random source for tenacity's random waits that always draws the middle."""
    return (low + high) / 2


PATCH = custom("PATCH", "/new", query=None, json={}, content=None, content_type="", keyed=False)


class TestStrategies:
    @pytest.mark.parametrize(
        ("policy", "waits", "stopped"),
        [
            (Retry(stop=stop_after_attempt(4)), [1.0, 2.0, 4.0], "retry policy"),
            (Retry(stop=stop_before_delay(4)), [1.0, 2.0], "retry policy"),
            (Retry(stop=stop_after_delay(3)), [1.0, 2.0], "retry policy"),
            (Retry(stop=stop_after_attempt(6) | stop_before_delay(10)), [1.0, 2.0, 4.0], "retry policy"),
            (Retry(stop=stop_after_attempt(2) & stop_after_delay(5)), [1.0, 2.0, 4.0], "retry policy"),
            (Retry(wait=wait_fixed(0.5), max_retries=3), [0.5, 0.5, 0.5], "retries used up"),
            (Retry(wait=wait_none()), [0.0, 0.0], "retries used up"),
            (Retry(wait=wait_incrementing(start=1, increment=2), max_retries=3), [1.0, 3.0, 5.0], "retries used up"),
            (Retry(wait=wait_exponential(multiplier=3, max=10), max_retries=3), [3.0, 6.0, 10.0], "retries used up"),
            (Retry(wait=wait_chain(wait_fixed(3), wait_fixed(7)), max_retries=3), [3.0, 7.0, 7.0], "retries used up"),
            (Retry(wait=wait_random_exponential(max=20), max_retries=3), [0.5, 1.0, 2.0], "retries used up"),
            (Retry(wait=wait_fixed(1) + wait_random(0, 2), max_retries=1), [2.0], "retries used up"),
            (Retry(wait=wait_exception(lambda error: len(str(error)[:3]))), [3.0, 3.0], "retries used up"),
            (Retry(wait=lambda state: state.attempt_number * 10), [10.0, 20.0], "retries used up"),
            (Retry(stop=lambda state: state.idle_for >= 3), [1.0, 2.0], "retry policy"),
            (Retry(retry=retry_if_exception_type(NetworkError)), [], "not retryable"),
            (Retry(retry=retry_if_exception(lambda error: "no" in str(error))), [1.0, 2.0], "retries used up"),
            (
                Retry(retry=retry_if_exception_type(ServerError) & retry_if_exception(bool)),
                [1.0, 2.0],
                "retries used up",
            ),
            (Retry(stop=stop_never, wait=wait_fixed(100)), [100.0] * 12, "not retryable"),
        ],
    )
    def test_waits(self, policy: Retry, waits: list[float], stopped: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A strategy of tenacity decides exactly as it does in tenacity, and the error says what ended the call."""
        monkeypatch.setattr("random.uniform", halves)
        monkeypatch.setattr("random.random", lambda: 0.5)
        world = World(*[refusal(500)] * 12, refusal(404))

        with pytest.raises(RedcoreAPIError) as caught:
            world.call(GET, retry=policy)

        assert world.slept == waits
        assert caught.value.attempts[-1].stopped == stopped

    def test_an_error_of_the_callers_choice_is_repeated(self) -> None:
        """A 404 may be retried until the object exists."""
        world = World(refusal(404), refusal(404), user())

        found = world.call(GET, retry=Retry(retry=retry_if_exception_type(NotFoundError), wait=wait_fixed(3)))

        assert (found.id, world.slept) == ("usr_1", [3.0, 3.0])

    def test_retry_after_comes_before_the_strategy(self) -> None:
        """The server's wait is used, and a strategy for stopping sees that wait."""
        asked = refusal(503, "A", retry_after="7")
        world = World(asked, user())

        world.call(GET, retry=Retry(wait=wait_fixed(1)))

        assert world.slept == [7.0]
        with pytest.raises(ServerError):
            World(asked).call(GET, retry=Retry(stop=stop_before_delay(5)))

    def test_a_call_that_is_not_idempotent_is_sent_once(self) -> None:
        """No strategy retries a call that might be done twice."""
        world = World(refusal(503))

        with pytest.raises(ServerError) as caught:
            world.call(
                custom("PATCH", "/new", query=None, json={}, content=None, content_type="", keyed=False), retry=always()
            )

        assert caught.value.attempts[-1].stopped == "not idempotent"

    def test_no_wait_passes_the_deadline(self) -> None:
        """No strategy continues after the deadline."""
        world = World(refusal(503), refusal(503))

        with pytest.raises(ServerError) as caught:
            world.call(GET, retry=always(), deadline_s=7.0)

        assert (world.slept, caught.value.attempts[-1].stopped) == ([5.0], "deadline")

    def test_the_budget_pays_for_every_retry(self) -> None:
        """The retry budget applies to every strategy."""
        world = World(refusal(503))
        world.engine = attrs.evolve(world.engine, retry_budget=empty())

        with pytest.raises(ServerError) as caught:
            world.call(GET, retry=always())

        assert caught.value.attempts[-1].stopped == "retry budget"

    @pytest.mark.parametrize(
        "error", [refusal(401), ConfigurationError("no"), ArgumentError("no")], ids=["401", "configuration", "argument"]
    )
    def test_errors_that_no_retry_mends_are_raised(self, error: Answer) -> None:
        """Refused credentials and bad arguments are raised at once, whatever the strategy says."""
        world = World(error)

        with pytest.raises(RedcoreError):
            world.call(GET, retry=always())

        assert world.slept == []

    def test_the_traceback_shows_no_frame_of_tenacity(self) -> None:
        """A traceback of a failed call leads to the call, not into the library that decided."""
        with pytest.raises(NotFoundError) as caught:
            World(refusal(404)).call(GET, retry=Retry(retry=retry_if_exception_type(NetworkError)))

        assert not [frame for frame in caught.traceback if "tenacity" in str(frame.path)]
        assert caught.value.__context__ is None

    def test_the_error_is_part_of_no_cycle(self) -> None:
        """The error of a retried call is freed as soon as its last reference is gone."""
        world = World(refusal(503), refusal(404))
        gc.disable()
        try:
            with contextlib.suppress(NotFoundError):
                world.call(GET)
            world.script = [refusal(404)]
            with pytest.raises(NotFoundError) as caught:
                world.call(GET, retry=Retry(retry=retry_if_exception_type(NetworkError)))
            alive = weakref.ref(caught.value)
            del caught
        finally:
            gc.enable()

        assert alive() is None

    @pytest.mark.parametrize("wait", [-1, math.nan, math.inf, "2", None])
    def test_an_invalid_wait(self, wait: Any) -> None:
        """A strategy that returns an unusable wait is named in a ConfigurationError."""
        with pytest.raises(ConfigurationError, match=r"of the retry policy gave .*, not a number of seconds"):
            World(refusal(500)).call(GET, retry=Retry(wait=lambda _: wait))

    def test_a_strategy_that_hides_a_coroutine(self) -> None:
        """A coroutine function inside another strategy is found when it is called."""
        later: Any = Later()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the coroutine that was never awaited
            with pytest.raises(ConfigurationError, match="must be awaited"):
                World(refusal(500)).call(GET, retry=Retry(retry=partial(later)))

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("stop", 6, r"stop must be a strategy of tenacity, such as stop_after_attempt\(6\); got 6"),
            ("stop", stop_after_attempt, "stop must be a strategy"),
            ("stop", Retrying(), "stop must be a strategy"),
            ("wait", 2.0, r"wait must be a strategy of tenacity, such as wait_fixed\(2\); got 2.0"),
            ("retry", "5xx", "retry must be a strategy"),
            ("retry", Later(), "retry must be awaited"),
            ("max_retries", -1, "max_retries must be a whole number, 0 or more"),
            ("max_retries", True, "max_retries must be a whole number, 0 or more"),
        ],
    )
    def test_invalid_strategies(self, name: str, value: object, message: str) -> None:
        """A policy that could not work is refused when it is made, with an example of one that can."""
        with pytest.raises(ConfigurationError, match=message):
            Retry(**{name: value})  # type: ignore[arg-type]
