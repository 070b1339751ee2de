"""One call from start to end: keys, pacing, deadline, reading."""

from __future__ import annotations

import uuid

import pytest
from tests.core.world import GET, START, World, answer, refusal, tokens, user

from redcore._call.credentials import Credentials
from redcore._call.headers import checked_headers
from redcore._spec import operations
from redcore.exceptions import (
    ArgumentError,
    NetworkError,
    NotFoundError,
    RateLimitError,
    RedcoreAPIError,
    ResponseError,
)

CREATE = operations.users_create(email="a@b.example", name="A")
APP = Credentials(client_id="app_1", client_secret="s3cret")
USED_UP = {
    "X-RateLimit-Limit": "60",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": str(int(START) + 30),
}


class TestHeaders:
    def test_one_request_id_for_all_attempts(self) -> None:
        """The refresh and every attempt of a call carry the same X-Request-ID, a UUID; another call has another."""
        world = World(tokens(), refusal(500), refusal(401), tokens(), user(), user(), credentials=APP)

        world.call(GET)
        world.call(GET)

        *first, last = [request.headers["X-Request-ID"] for request in world.requests]
        assert len(set(first)) == 1
        assert last != first[0]
        assert str(uuid.UUID(last)) == last

    def test_one_idempotency_key_for_all_attempts(self) -> None:
        """The key of a create is made once per call, and survives retries and a refresh."""
        world = World(tokens(), refusal(500), refusal(401), tokens(), user(), user(), credentials=APP)

        world.call(CREATE)
        world.call(CREATE)

        *first, last = [r.headers["Idempotency-Key"] for r in world.requests if r.url.endswith("/users")]
        assert len(first) == 3
        assert len(set(first)) == 1
        assert last != first[0]
        assert all("Idempotency-Key" not in r.headers for r in world.requests if r.url.endswith("/oauth/token"))

    def test_an_error_carries_the_idempotency_key(self) -> None:
        """The caller can repeat the same call with it, and it is done once; a GET has no key."""
        world = World(*[refusal(500)] * 6)

        with pytest.raises(RedcoreAPIError) as created:
            world.call(CREATE)
        with pytest.raises(RedcoreAPIError) as got:
            world.call(GET)

        assert created.value.idempotency_key == world.requests[0].headers["Idempotency-Key"]
        assert got.value.idempotency_key is None

    def test_a_given_key_is_used(self) -> None:
        """The application may pass its own key; calls that take no key send none."""
        world = World(user(), user())

        world.call(CREATE, idempotency_key="order-7")
        world.call(GET, idempotency_key="order-7")

        assert [request.headers.get("Idempotency-Key") for request in world.requests] == ["order-7", None]

    @pytest.mark.parametrize("name", ["X-Request-ID", "x-request-id"])
    def test_a_given_request_id_is_used(self, name: str) -> None:
        """The application may pass its own request id, in any case; errors carry it and it is sent once."""
        world = World(refusal(404))

        with pytest.raises(NotFoundError) as caught:
            world.call(GET, headers=checked_headers({name: "0b7f3c1e"}))

        sent = [value for key, value in world.requests[0].headers.items() if key.lower() == "x-request-id"]
        assert (caught.value.request_id, sent) == ("0b7f3c1e", ["0b7f3c1e"])

    def test_given_headers_replace_ours(self) -> None:
        """A header of the application replaces the one of the SDK, in any case."""
        world = World(user())

        world.call(GET, headers=checked_headers({"user-agent": "app/1", "X-Trace": "1"}))

        headers = {key.lower(): value for key, value in world.requests[0].headers.items()}
        assert (headers["user-agent"], headers["x-trace"]) == ("app/1", "1")
        assert len(headers) == len(world.requests[0].headers)


class TestPacing:
    def test_the_next_call_waits_for_the_window(self) -> None:
        """After the last permitted call the next one waits until the reset and 0.1 s."""
        world = World(answer(200, {"data": None}, **USED_UP), user(), user())

        with pytest.raises(ResponseError):
            world.call(GET)
        world.call(GET)
        world.call(GET)

        assert world.slept == [pytest.approx(30.1)]

    def test_errors_report_the_window_too(self) -> None:
        """The rate limit headers of a refusal count as well."""
        world = World(refusal(404, "A", **USED_UP), user())

        with pytest.raises(NotFoundError):
            world.call(GET)
        world.call(GET)

        assert world.slept == [pytest.approx(30.1)]

    def test_pacing_can_be_turned_off(self) -> None:
        """Without pacing the call is made at once."""
        world = World(refusal(404, "A", **USED_UP), user())

        with pytest.raises(NotFoundError):
            world.call(GET)
        world.call(GET, pacing=False)

        assert world.slept == []

    def test_a_wait_that_would_pass_the_deadline(self) -> None:
        """Nothing was sent, so the error is a RateLimitError that says how long to wait."""
        world = World(refusal(404, "A", **USED_UP))
        with pytest.raises(NotFoundError):
            world.call(GET)

        with pytest.raises(RateLimitError) as caught:
            world.call(GET, deadline_s=10.0)

        assert caught.value.retry_after == pytest.approx(30.1)
        assert (caught.value.code, caught.value.status_code) == ("RATE_LIMIT_EXCEEDED", 429)
        assert caught.value.request_id is not None
        assert (len(world.sent), world.slept) == (1, [])

    def test_oauth_endpoints_have_other_windows(self) -> None:
        """Their limits count addresses, not credentials: they are not paced, and their headers are ignored."""
        world = World(answer(200, {"keys": []}, **USED_UP), user(), credentials=Credentials(access_token="a"))

        world.call(operations.auth_jwks())
        world.call(GET)

        assert world.slept == []


class TestDeadline:
    def test_the_deadline_covers_the_refresh(self) -> None:
        """The time that the token endpoint took is no longer available to the call."""

        def slow(_: object) -> object:
            world.time += 2.0
            return tokens()

        world = World(slow, user(), credentials=APP)  # type: ignore[arg-type]

        world.call(GET, deadline_s=5.0)

        assert [send.timeout_s for send in world.sent] == [5.0, 3.0]

    def test_the_deadline_covers_pacing(self) -> None:
        """The time spent waiting for the window is no longer available to the attempt."""
        world = World(refusal(404, "A", **USED_UP), user())
        with pytest.raises(NotFoundError):
            world.call(GET)

        world.call(GET, deadline_s=40.0)

        assert world.slept == [pytest.approx(30.1)]
        assert world.sent[1].timeout_s == pytest.approx(9.9)

    def test_the_deadline_covers_attempts_and_waits(self) -> None:
        """Each attempt has the time that the attempts and waits before it left."""

        def slow(_: object) -> object:
            world.time += 4.0
            return refusal(503)

        world = World(slow, slow, user())  # type: ignore[arg-type]

        world.call(GET, deadline_s=12.0)

        assert [send.timeout_s for send in world.sent] == [12.0, 7.0, 1.0]

    def test_the_deadline_covers_a_refresh_in_another_task(self) -> None:
        """A call waits for a refresh in another task no longer than its deadline allows."""
        world = World(credentials=APP)
        assert world.lock.acquire()

        with pytest.raises(NetworkError, match="deadline passed during a token refresh"):
            world.call(GET, deadline_s=5.0)

        world.lock.release()

    def test_the_deadline_has_passed_during_the_refresh(self) -> None:
        """No request is started after the deadline."""

        def slow(_: object) -> object:
            world.time += 9.0
            return tokens()

        world = World(slow, credentials=APP)  # type: ignore[arg-type]

        with pytest.raises(NetworkError, match="deadline has passed"):
            world.call(GET, deadline_s=5.0)

    def test_without_a_deadline_attempts_have_their_whole_timeout(self) -> None:
        """The time-out applies to each attempt."""
        world = World(refusal(500), user())

        world.call(GET, timeout_s=3.0)

        assert [send.timeout_s for send in world.sent] == [3.0, 3.0]


class TestErrors:
    def test_every_error_of_a_call_has_its_request_id(self) -> None:
        """Errors raised where the call is not known get its request id."""
        for reply in (NetworkError("reset"), ResponseError("broken"), answer(200), refusal(404)):
            world = World(reply, reply, reply)

            with pytest.raises((NetworkError, ResponseError, NotFoundError)) as caught:
                world.call(GET)

            assert caught.value.request_id == world.requests[0].headers["X-Request-ID"]

    def test_an_argument_that_cannot_be_sent(self) -> None:
        """Nothing is sent, not even a request for a token."""
        world = World(credentials=APP)

        with pytest.raises(ArgumentError):
            world.call(operations.users_update("usr_1", name="\ud800"))

        assert world.sent == []

    def test_a_foreign_error_passes_through(self) -> None:
        """Exceptions that are not the SDK's, such as an interrupt, pass through unchanged."""
        world = World(RuntimeError("not ours"))

        with pytest.raises(RuntimeError, match="not ours"):
            world.call(GET)
