"""The history of attempts that an error carries."""

from __future__ import annotations

import io
import pickle
from typing import Any

import attrs
import pytest
from tests.core.world import GET, Answer, World, refusal, tokens, user

from redcore import FailedAttempt
from redcore._call.credentials import Credentials
from redcore._spec import operations
from redcore.exceptions import (
    ArgumentError,
    AuthenticationError,
    NetworkError,
    NotFoundError,
    RateLimitError,
    RedcoreAPIError,
    RedcoreError,
    ResponseError,
)
from redcore.options import Retry

APP = Credentials(client_id="app_1", client_secret="s3cret")


def error_of(world: World, operation: Any = GET, **options: Any) -> RedcoreError:
    """Return the error that a call ends with."""
    with pytest.raises(RedcoreError) as caught:
        world.call(operation, **options)
    return caught.value


def test_each_attempt_is_recorded() -> None:
    """Status or class, duration, wait, and the reason why there was no further attempt."""

    def slow(_: object) -> Any:
        world.time += 0.5
        return refusal(500, "B", x_request_id="req_of_the_server")

    world = World(refusal(503), NetworkError("reset"), slow)

    error = error_of(world)

    sent = world.requests[0].headers["X-Request-ID"]
    assert error.attempts == (
        FailedAttempt(number=1, error="ServerError", status_code=503, request_id=sent, duration_s=0.0, wait_s=1.0),
        FailedAttempt(number=2, error="NetworkError", request_id=sent, duration_s=0.0, wait_s=2.0),
        FailedAttempt(
            number=3,
            error="ServerError",
            status_code=500,
            request_id="req_of_the_server",
            duration_s=0.5,
            stopped="retries used up",
        ),
    )


@pytest.mark.parametrize(
    ("answered", "options", "stopped"),
    [
        (refusal(404), {}, "not retryable"),
        (ResponseError("broken"), {}, "not retryable"),
        (refusal(503), {"retry": Retry(max_retries=0)}, "retries used up"),
        (refusal(429, "A", retry_after="601"), {}, "Retry-After too long"),
        (refusal(429, "A", retry_after="30"), {"deadline_s": 10.0}, "deadline"),
    ],
)
def test_why_it_stopped(answered: Answer, options: dict[str, Any], stopped: str) -> None:
    """The last attempt states why the call was given up."""
    (attempt,) = error_of(World(answered), **options).attempts

    assert (attempt.number, attempt.stopped, attempt.wait_s) == (1, stopped, None)


def test_a_body_that_cannot_be_read_again() -> None:
    """An upload from a stream that cannot be rewound is not sent twice, and the error says so."""

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    error = error_of(World(refusal(503)), operations.files_upload(file=Stream(b"x")))

    assert [attempt.stopped for attempt in error.attempts] == ["body cannot be sent again"]


def test_an_operation_that_must_not_be_repeated() -> None:
    """An operation that is neither idempotent nor keyed is sent once, and the error says so."""
    once = attrs.evolve(GET, method="PATCH", idempotent=False)

    assert [attempt.stopped for attempt in error_of(World(refusal(503)), once).attempts] == ["not idempotent"]


def test_a_sleep_that_takes_too_long() -> None:
    """The deadline passed during the wait: the attempt reports no wait, and the deadline as its reason."""
    world = World(refusal(503))
    world.oversleep_s = 5.0

    (attempt,) = error_of(world, deadline_s=2.0).attempts

    assert (attempt.wait_s, attempt.stopped) == (None, "deadline")


def test_a_refused_token() -> None:
    """A 401 that leads to a new token is an attempt of its own, without a wait."""
    world = World(tokens(), refusal(401), tokens(), refusal(404), credentials=APP)

    error = error_of(world)

    assert [(t.number, t.error, t.status_code, t.wait_s, t.stopped) for t in error.attempts] == [
        (1, "AuthenticationError", 401, 0.0, None),
        (2, "NotFoundError", 404, None, "not retryable"),
    ]


def test_a_refresh_that_fails() -> None:
    """If the refresh that an attempt needs fails, the attempt ends with it."""
    error = error_of(World(refusal(500), refusal(401), credentials=APP))

    assert isinstance(error, AuthenticationError)
    assert [(t.error, t.status_code) for t in error.attempts] == [("ServerError", 500), ("AuthenticationError", 401)]


def test_a_call_without_an_attempt_has_no_history() -> None:
    """Without an attempt there is no history."""
    used_up = {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000030"}
    world = World(refusal(404, "A", **used_up))
    error_of(world)

    paced = error_of(world, deadline_s=1.0)

    assert isinstance(paced, RateLimitError)
    assert paced.attempts == ()
    assert error_of(world, operations.users_update("usr_1", name="\ud800")).attempts == ()
    assert ArgumentError("never in a call").attempts == ()


def test_the_text_stays_one_sentence() -> None:
    """The attempts are a note on the traceback, not part of the text; a single attempt adds no note."""
    error, single = error_of(World(refusal(503), refusal(503), refusal(503, "A"))), error_of(World(refusal(404)))

    assert str(error) == f"503 A: no (request {error.request_id})"
    history = "503 after 0.0 s, waited 1.0 s; 503 after 0.0 s, waited 2.0 s; 503 after 0.0 s, stopped: retries used up"
    assert error.__notes__ == [f"3 attempts: {history}"]
    assert not hasattr(single, "__notes__")
    assert str(error.attempts[0]) == "503 after 0.0 s, waited 1.0 s"


def test_no_answer_in_the_text() -> None:
    """An attempt without an answer is named after its error."""
    lost = error_of(World(NetworkError("a"), NetworkError("b")), retry=Retry(max_retries=1))

    assert lost.__notes__ == [
        "2 attempts: NetworkError after 0.0 s, waited 1.0 s; NetworkError after 0.0 s, stopped: retries used up"
    ]


def test_they_pickle() -> None:
    """An error from another process keeps its attempts."""
    error = error_of(World(refusal(503), refusal(404)))

    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)

    assert isinstance(twin, NotFoundError)
    assert twin.attempts == error.attempts
    assert twin.__notes__ == error.__notes__


def test_attempts_of_one_call_do_not_appear_in_the_next() -> None:
    """The attempts of one call do not appear in the next."""
    world = World(refusal(503), user(), refusal(404))
    world.call(GET)

    assert len(error_of(world).attempts) == 1


def test_the_last_error_is_unchanged_by_the_history() -> None:
    """Attaching the history changes neither the class nor the facts of the error."""
    error = error_of(World(refusal(503), refusal(503), refusal(500, "LAST")))

    assert isinstance(error, RedcoreAPIError)
    assert (error.status_code, error.code) == (500, "LAST")
