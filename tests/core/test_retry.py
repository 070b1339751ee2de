"""Which failures are retried, after which waits, within which deadline and budget."""

from __future__ import annotations

import sys

import attrs
import pytest
from tests.core.failures import empty, failed
from tests.core.world import GET, Answer, World, answer, refusal, user

from redcore._call.retry import RetryBudget, wait_s
from redcore._spec import operations
from redcore.exceptions import (
    ConfigurationError,
    ConflictError,
    NetworkError,
    RateLimitError,
    RedcoreAPIError,
    RedcoreError,
    ResponseError,
)
from redcore.options import Retry

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    ("script", "waits"),
    [
        ([user()], []),
        ([refusal(500), user()], [1.0]),
        ([refusal(408), user()], [1.0]),
        ([refusal(503), refusal(500), user()], [1.0, 2.0]),
        ([NetworkError("reset"), NetworkError("timeout"), user()], [1.0, 2.0]),
        ([refusal(429, "A", retry_after="7"), user()], [7.0]),
        ([refusal(429, "A", retry_after="0"), user()], [0.0]),
        ([refusal(429, "A", retry_after="Tue, 14 Nov 2023 22:13:50 GMT", date=DATE), user()], [30.0]),
        ([refusal(429), user()], [1.0]),
        ([refusal(503, "A", retry_after="3"), refusal(503), user()], [3.0, 2.0]),
        ([refusal(500), refusal(429, "A", retry_after="0.5"), user()], [1.0, 0.5]),
    ],
    ids=repr,
)
def test_waits_before_success(script: list[Answer], waits: list[float]) -> None:
    """Between attempts the call waits exactly as long as the contract's table says."""
    world = World(*script)

    assert world.call(GET).id == "usr_1"
    assert world.slept == waits
    assert world.script == []


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("0", 0.0),
        ("0.5", 0.5),
        ("600", 600.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
        ("Tue Nov 14 22:13:50 2023", 30.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("-1", 1.0),
        ("nan", 1.0),
        ("inf", 1.0),
        ("1e999", 1.0),
        ("soon", 1.0),
        ("", 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_exactly(status: int, asked: str, wait: float) -> None:
    """A Retry-After is honoured exactly, in seconds or as any HTTP date; an unreadable one is ignored."""
    world = World(refusal(status, "A", retry_after=asked, date=DATE), user())

    world.call(GET)

    assert world.slept == [wait]


@pytest.mark.parametrize(
    ("max_retries", "waits"), [(0, []), (1, [1.0]), (2, [1.0, 2.0]), (3, [1.0, 2.0, 4.0]), (4, [1.0, 2.0, 4.0, 8.0])]
)
def test_the_error_of_the_last_attempt_is_raised(max_retries: int, waits: list[float]) -> None:
    """When all attempts fail, the last error is raised."""
    script = [refusal(500, f"ATTEMPT_{number}") for number in range(1, max_retries + 2)]
    world = World(*script)

    with pytest.raises(RedcoreAPIError) as caught:
        world.call(GET, retry=Retry(max_retries=max_retries))

    assert world.slept == waits
    assert (caught.value.status_code, caught.value.code) == (500, f"ATTEMPT_{max_retries + 1}")


def test_a_409_request_in_progress_is_retried_as_503() -> None:
    """A 409 REQUEST_IN_PROGRESS is retried after exactly its Retry-After, with the same Idempotency-Key."""
    world = World(refusal(409, "REQUEST_IN_PROGRESS", retry_after="1"), refusal(409, "REQUEST_IN_PROGRESS"), user())

    world.call(operations.users_create(email="a@b.example", name="A"))

    assert world.slept == [1.0, 2.0]
    assert len({request.headers["Idempotency-Key"] for request in world.requests}) == 1


def test_a_409_that_stays_in_progress_is_not_a_duplicate() -> None:
    """When the attempts are used up, the error is a ConflictError, not a DuplicateError."""
    world = World(*[refusal(409, "REQUEST_IN_PROGRESS", retry_after="1")] * 3)

    with pytest.raises(ConflictError) as caught:
        world.call(operations.users_create(email="a@b.example", name="A"))

    assert type(caught.value) is ConflictError
    assert world.slept == [1.0, 1.0]


def test_three_attempts_by_default() -> None:
    """Attempt 1, wait 1 s, attempt 2, wait 2 s, attempt 3, the error."""
    world = World(refusal(500), refusal(503), refusal(500))

    with pytest.raises(RedcoreAPIError):
        world.call(GET)

    assert (len(world.sent), world.slept) == (3, [1.0, 2.0])


@pytest.mark.parametrize("status", [301, 302, 304, 307, 400, 403, 404, 405, 409, 413, 415, 422, 418])
def test_no_retry(status: int) -> None:
    """An error that another attempt cannot change is raised at once."""
    world = World(refusal(status))

    with pytest.raises(RedcoreAPIError) as caught:
        world.call(GET)

    assert (caught.value.status_code, world.slept, len(world.sent)) == (status, [], 1)


@pytest.mark.parametrize("reply", [answer(200, []), answer(200), ResponseError("broken")], ids=repr)
def test_an_answer_that_cannot_be_read_is_not_repeated(reply: Answer) -> None:
    """The server has acted: the same call would give the same answer."""
    world = World(reply)

    with pytest.raises(ResponseError):
        world.call(GET)

    assert len(world.sent) == 1


def test_a_write_with_a_key_is_repeated() -> None:
    """A create may be sent again, since its Idempotency-Key is the same."""
    world = World(refusal(500), user())

    world.call(operations.users_create(email="a@b.example", name="A"))

    assert len({request.headers["Idempotency-Key"] for request in world.requests}) == 1
    assert world.slept == [1.0]


def test_a_stream_is_sent_once() -> None:
    """A body that cannot be read again is not retried."""

    class Stream:
        def read(self, _: int = -1) -> bytes:
            return b""

    world = World(refusal(503))

    with pytest.raises(RedcoreAPIError):
        world.call(operations.files_upload(file=Stream()))  # type: ignore[arg-type]

    assert world.slept == []


class TestPolicy:
    @pytest.mark.parametrize(
        ("attempt", "draw", "wait"),
        [
            (1, 0.0, 0.9),
            (1, 0.5, 1.0),
            (1, 1.0, 1.1),
            (2, 0.0, 1.8),
            (2, 0.5, 2.0),
            (3, 1.0, 4.4),
            (7, 0.5, 60.0),
            (7, 0.0, 54.0),
            (99, 1.0, 66.0),
            (10_000, 0.5, 60.0),
        ],
    )
    def test_the_backoff_doubles_up_to_a_minute(self, attempt: int, draw: float, wait: float) -> None:
        """1, 2, 4 … 60 seconds, each within ten percent; the jitter is drawn after the cap."""
        assert wait_s(Retry(max_retries=10_000), failed(500), attempt, draw) == pytest.approx(wait)

    @pytest.mark.parametrize("draw", [0.0, 0.999])
    def test_retry_after_has_no_jitter(self, draw: float) -> None:
        """The server's wait is exact, whatever the random number."""
        assert wait_s(Retry(), failed(429, retry_after="7"), 1, draw) == 7.0
        assert wait_s(Retry(), failed(503, retry_after="7"), 1, draw) == 7.0

    @pytest.mark.parametrize(
        ("asked", "wait"), [("600", 600.0), ("601", "Retry-After too long"), ("86400", "Retry-After too long")]
    )
    def test_no_wait_longer_than_ten_minutes(self, asked: str, wait: float | str) -> None:
        """ADR 5: a wait longer than ten minutes is for the application to decide."""
        assert wait_s(Retry(), failed(429, retry_after=asked), 1, 0.5) == wait

    @pytest.mark.parametrize("error", [failed(404), ConfigurationError("no"), ResponseError("no")])
    def test_only_errors_that_may_be_temporary_are_retried(self, error: RedcoreError) -> None:
        """Facts decide, not classes."""
        assert wait_s(Retry(), error, 1, 0.5) == "not retryable"

    def test_the_retry_policy_cannot_be_imported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """For example when no file can be opened any more: the original error is raised, not that of the import."""
        monkeypatch.setitem(sys.modules, "tenacity", None)

        assert wait_s(Retry(), NetworkError("too many open files"), 1, 0.5) == "not retryable"

    def test_no_more_attempts_than_allowed(self) -> None:
        """No wait follows the last attempt."""
        assert wait_s(Retry(max_retries=1), failed(500), 1, 0.5) == 1.0
        assert wait_s(Retry(max_retries=1), failed(500), 2, 0.5) == "retries used up"


class TestDeadline:
    def test_a_wait_that_would_pass_it_is_not_started(self) -> None:
        """The last error is raised at once."""
        world = World(refusal(500), refusal(503))

        with pytest.raises(RedcoreAPIError) as caught:
            world.call(GET, deadline_s=2.5)

        assert (caught.value.status_code, world.slept) == (503, [1.0])

    def test_a_long_retry_after_is_not_waited_for(self) -> None:
        """A 429 whose wait passes the deadline is raised at once."""
        world = World(refusal(429, "A", retry_after="30"))

        with pytest.raises(RateLimitError) as caught:
            world.call(GET, deadline_s=10.0)

        assert (caught.value.retry_after, world.slept) == (30.0, [])

    def test_attempts_get_the_rest_of_the_deadline(self) -> None:
        """An attempt gets its time-out, or the rest of the deadline if that is shorter."""
        world = World(refusal(500), user())

        world.call(GET, deadline_s=20.0, timeout_s=19.5)

        assert [send.timeout_s for send in world.sent] == [19.5, 19.0]

    def test_a_sleep_that_takes_too_long_ends_in_the_last_error(self) -> None:
        """A sleep may overshoot: then the last error is raised, not a new one."""
        world = World(refusal(503))
        world.oversleep_s = 5.0

        with pytest.raises(RedcoreAPIError) as caught:
            world.call(GET, deadline_s=2.0)

        assert caught.value.status_code == 503


class TestRetryBudget:
    def test_it_begins_full(self) -> None:
        """500 retries at once are allowed, and no more."""
        budget = RetryBudget()

        assert [budget.spend(0.0) for _ in range(501)] == [True] * 500 + [False]

    def test_it_fills_with_time(self) -> None:
        """Ten retries a second come back, up to 500."""
        budget = empty()

        assert budget.spend(0.09) is False
        assert [budget.spend(1.0) for _ in range(11)] == [True] * 10 + [False]
        assert [budget.spend(3600.0) for _ in range(501)] == [True] * 500 + [False]

    def test_a_clock_that_goes_back_takes_nothing_away(self) -> None:
        """As the monotonic clock of a machine that is restored from a snapshot."""
        budget = RetryBudget()
        assert budget.spend(900_000.0)

        assert budget.spend(5.0)

    def test_it_fills_with_successes(self) -> None:
        """Five successes add one retry."""
        budget = empty()

        for _ in range(5):
            budget.refund()

        assert [budget.spend(0.0), budget.spend(0.0)] == [True, False]

    def test_it_holds_no_more_than_when_it_began(self) -> None:
        """Successes while it is full are not saved up."""
        budget = RetryBudget()

        for _ in range(100):
            budget.refund()

        assert [budget.spend(0.0) for _ in range(501)].count(True) == 500

    def test_an_outage_is_not_flooded(self) -> None:
        """When the budget is used up, the error of the first attempt is raised at once, and says why."""
        world = World(*[refusal(503)] * 1000)
        world.engine = attrs.evolve(world.engine, retry_budget=empty())

        with pytest.raises(RedcoreAPIError) as caught:
            world.call(GET)

        assert (len(world.sent), world.slept) == (1, [])
        assert [attempt.stopped for attempt in caught.value.attempts] == ["retry budget"]

    def test_all_calls_share_it(self) -> None:
        """600 calls in an outage send 1,100 requests at first, not 1,800."""
        world = World(*[refusal(503)] * 1800)
        world.oversleep_s = -1.0  # the clock does not advance while a call waits 1 s, so that nothing is refilled

        for _ in range(600):
            with pytest.raises(RedcoreAPIError):
                world.call(GET, retry=Retry(max_retries=1))

        assert len(world.sent) == 600 + 500

    def test_a_success_pays_back(self) -> None:
        """Each call that succeeds adds a fifth of a retry."""
        world = World(*[user()] * 5, refusal(503), user(), refusal(503))
        world.oversleep_s = -1.0
        world.engine = attrs.evolve(world.engine, retry_budget=empty())

        for _ in range(6):
            world.call(GET)
        with pytest.raises(RedcoreAPIError):
            world.call(GET)

        assert world.slept == [1.0]

    def test_retry_after_costs_no_budget(self) -> None:
        """A wait that the server asks for is honoured, however many calls do so."""
        world = World(refusal(429, "A", retry_after="7"), refusal(503, "A", retry_after="7"), user())
        world.engine = attrs.evolve(world.engine, retry_budget=empty())

        world.call(GET)

        assert world.slept == [7.0, 7.0]
