"""Laws of calls: whatever a server answers, the SDK raises its own errors, waits within bounds and ends in time."""

from __future__ import annotations

import contextlib
from itertools import cycle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.core.shared_caches import Shared
from tests.core.world import GET, START, Answer, World, answer, refusal, tokens, user

from redcore import MemoryCache, RedcoreError
from redcore._base.operation import Operation
from redcore._base.response import Headers, Response
from redcore._call.credentials import Credentials
from redcore._call.retry import wait_s
from redcore._call.steps import Acquire, Send, Step
from redcore._spec import operations
from redcore._wire.encoding import dump
from redcore._wire.rate_limit import retry_after
from redcore.exceptions import NetworkError
from redcore.options import Retry
from redcore.tokens import TokenCache

ROUNDING_S = 1e-5  # of sums of seconds since 1970
NAMES = ["Retry-After", "Date", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Content-Type"]
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text("aé…0"),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["data", "error", "code", "details", "id"]), inner),
)
values = st.text("0123456789.-+:, eEnaifGMTx") | st.integers().map(str) | st.text(max_size=20)
headers = st.dictionaries(st.sampled_from(NAMES), values).map(Headers)
bodies = st.binary() | json.filter(lambda value: "inf" not in repr(value)).map(lambda value: dump({"": value})[4:-1])
responses = st.builds(Response, st.integers(200, 599), headers, bodies)
answers: st.SearchStrategy[Answer] = st.one_of(
    responses,
    st.sampled_from([user(), refusal(500), refusal(503), refusal(401), tokens(), tokens(expires_in=1)]),
    st.integers(0, 900).map(lambda seconds: refusal(429, "A", retry_after=str(seconds))),
    st.integers(0, 900).map(
        lambda reset: answer(
            500,
            None,
            x_ratelimit_limit="1",
            x_ratelimit_remaining="0",
            x_ratelimit_reset=str(int(START) + reset),
        )
    ),
    st.builds(NetworkError, st.just("reset")),
)
OPERATIONS: list[Operation[Any]] = [
    GET,
    operations.users_list(),
    operations.users_create(email="a@b.example", name="A"),
    operations.workflows_get_run("wfr_1"),
    operations.auth_introspect(token="t"),
    operations.auth_jwks(),
]
CREDENTIALS = [
    Credentials(api_key="k"),
    Credentials(client_id="i", client_secret="s"),
    Credentials(access_token="a", refresh_token="r"),
]


@given(st.sampled_from(OPERATIONS), st.sampled_from(CREDENTIALS), st.lists(answers, min_size=12, max_size=12))
def test_no_answer_raises_anything_but_our_errors(
    operation: Operation[Any], credentials: Credentials, script: list[Answer]
) -> None:
    """No status, header or body makes a call, or the next one, raise a foreign error."""
    world = World(*script, credentials=credentials)

    for _ in range(2):
        with contextlib.suppress(RedcoreError):
            world.call(operation, retry=Retry(max_retries=1))


class SlowWorld(World):
    """A world in which answers and locks take time; a time-out is exact."""

    def __init__(self, *script: Answer, takes: list[float], cache: TokenCache) -> None:
        super().__init__(*script, credentials=CREDENTIALS[1], cache=cache)
        self._takes = cycle(takes)

    def perform(self, step: Step) -> Any:
        """Perform one step, which takes time if it waits."""
        if not isinstance(step, Send | Acquire):
            return super().perform(step)
        took, bound = next(self._takes), step.timeout_s
        if took > bound:
            self.time += bound
            if isinstance(step, Acquire):
                return False
            raise NetworkError("late")
        self.time += took
        return super().perform(step)


durations = st.lists(st.just(0.0) | st.floats(0.0, 60.0), min_size=1, max_size=12)


@given(
    script=st.lists(answers, min_size=36, max_size=36),
    takes=durations,
    deadline=st.floats(0.1, 200.0),
    max_retries=st.integers(0, 3),
    held=st.lists(st.integers(0, 400), min_size=3, max_size=3),
    oversleep=st.just(0.0) | st.floats(0.0, 5.0),
)
def test_no_call_outlives_its_deadline(  # noqa: PLR0917 (all that time depends on)
    script: list[Answer], takes: list[float], deadline: float, max_retries: int, held: list[int], oversleep: float
) -> None:
    """Attempts, waits, refreshes and the locks of other threads and processes end with it; only a sleep may be late."""
    cache = Shared()
    world = SlowWorld(*script, takes=takes, cache=cache)
    world.oversleep_s = oversleep

    for asked in held:
        cache.holder = "another process" if asked else None
        cache.meanwhile = [*[lambda: None] * asked, lambda: setattr(cache, "holder", None)] if asked else []
        begun = world.time
        with contextlib.suppress(RedcoreError):
            world.call(GET, deadline_s=deadline, retry=Retry(max_retries=max_retries))
        assert world.time - begun <= deadline + oversleep + ROUNDING_S


@given(st.lists(answers, min_size=24, max_size=24), st.integers(0, 3))
def test_a_call_ends(script: list[Answer], max_retries: int) -> None:
    """A call makes no more attempts than allowed, each with at most one refresh and a second attempt of it."""
    world = World(*script, credentials=CREDENTIALS[2], cache=MemoryCache())

    with contextlib.suppress(RedcoreError):
        world.call(GET, retry=Retry(max_retries=max_retries))

    assert len([path for path in world.paths if path != "/oauth/token"]) <= 2 * (max_retries + 1)
    assert len(world.sent) <= 6 * (max_retries + 1)
    assert len(world.slept) <= max_retries


@given(st.integers(1, 10_000), st.floats(0.0, 1.0, exclude_max=True))
def test_the_backoff_is_bounded(attempt: int, draw: float) -> None:
    """A back-off lies within ten percent of the doubled second, up to a minute."""
    nominal = min(60.0, 2.0 ** min(attempt - 1, 100))

    wait = wait_s(Retry(max_retries=10_000), NetworkError("no"), attempt, draw)

    assert isinstance(wait, float)
    assert 0.9 * nominal <= wait * 1.000001
    assert wait <= 1.1 * nominal * 1.000001


@given(headers, st.floats(0.0, 4e9))
def test_a_retry_after_is_never_negative(received: Headers, now: float) -> None:
    """Whatever the headers say, the wait is None or a number of seconds from 0."""
    wait = retry_after(received, now)

    assert wait is None or 0.0 <= wait < float("inf")
