"""From credentials to an access token, driven without any I/O."""

from __future__ import annotations

import base64

import pytest
from tests.core.world import EXPIRED, GET, START, World, answer, form, refusal, tokens, user

from redcore._base.response import Response
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore._call.steps import Budget, Send
from redcore._spec import operations
from redcore._wire.encoding import Request
from redcore.exceptions import (
    AuthenticationError,
    ConfigurationError,
    NetworkError,
    RateLimitError,
    RedcoreAPIError,
    ResponseError,
)
from redcore.tokens import MemoryCache, TokenSet
from redcore.tokens.token_set import is_sendable

APP = Credentials(client_id="app_1", client_secret="s3cret", scope="users:read")
SESSION = Credentials(client_id="app_1", access_token="access-1", refresh_token="refresh-1")
REFRESH_ONLY = Credentials(refresh_token="refresh-1")
BOTH = Credentials(client_id="app_1", client_secret="s3cret", access_token="access-1", refresh_token="refresh-1")
DEAD = answer(400, {"error": "invalid_grant", "error_description": "refresh token is dead"})


class TestApiKey:
    def test_it_is_sent_as_it_is(self) -> None:
        """An API key is the bearer token."""
        world = World(user())

        world.call(GET)

        assert world.bearers == ["rk_test_key"]

    def test_it_is_never_refreshed(self) -> None:
        """A refused key is final: it cannot be renewed."""
        world = World(EXPIRED)

        with pytest.raises(AuthenticationError) as caught:
            world.call(GET)

        assert (caught.value.status_code, world.paths) == (401, ["/v1/users/usr_1"])


class TestClientCredentials:
    def test_tokens_are_requested_once(self) -> None:
        """The first call requests tokens, later calls reuse them."""
        world = World(tokens(), user(), user(), credentials=APP)

        world.call(GET)
        world.call(GET)

        assert world.paths == ["/oauth/token", "/v1/users/usr_1", "/v1/users/usr_1"]
        assert world.bearers == ["access-2", "access-2"]
        assert form(world.requests[0]) == {"grant_type": "client_credentials", "scope": "users:read"}

    def test_the_client_authenticates_by_basic(self) -> None:
        """RFC 6749 section 2.3.1: id and secret are form-encoded, then Basic."""
        world = World(tokens(), user(), credentials=Credentials(client_id="app:1", client_secret="a%b:c"))

        world.call(GET)

        scheme, _, encoded = world.requests[0].headers["Authorization"].partition(" ")
        assert (scheme, base64.b64decode(encoded)) == ("Basic", b"app%3A1:a%25b%3Ac")
        assert "s3cret" not in str(world.requests[0].content)

    def test_a_token_is_renewed_before_it_ends(self) -> None:
        """A token counts as expired half a minute before it expires; the refresh token renews it."""
        short = tokens(expires_in=200)
        world = World(short, user(), user(), tokens("access-3", "refresh-3"), user(), credentials=APP)

        world.call(GET)
        world.time += 200 - 30.5
        world.call(GET)
        world.time += 0.5
        world.call(GET)

        assert world.grants == ["client_credentials", "refresh_token"]
        assert world.bearers == ["access-2", "access-2", "access-3"]

    def test_a_token_that_lives_shorter_than_the_leeway_is_used_for_most_of_its_life(self) -> None:
        """Otherwise each call would ask for another one."""
        world = World(tokens(expires_in=20), user(), user(), tokens("access-3"), user(), credentials=APP)

        world.call(GET)
        world.time += 14
        world.call(GET)
        world.time += 2
        world.call(GET)

        assert world.bearers == ["access-2", "access-2", "access-3"]

    def test_a_refused_client(self) -> None:
        """A wrong secret is an AuthenticationError with the RFC's code, and is not retried."""
        world = World(answer(401, {"error": "invalid_client"}), credentials=APP)

        with pytest.raises(AuthenticationError) as caught:
            world.call(GET)

        assert (caught.value.code, world.slept) == ("invalid_client", [])

    @pytest.mark.parametrize("failure", [refusal(503), refusal(500), NetworkError("reset")], ids=repr)
    def test_a_token_endpoint_that_fails_is_retried(self, failure: Response | Exception) -> None:
        """A failure that may be temporary is retried like any call."""
        world = World(failure, tokens(), user(), credentials=APP)

        world.call(GET)

        assert world.slept == [1.0]

    def test_a_token_endpoint_that_limits(self) -> None:
        """Its Retry-After is honoured; if that wait would pass the deadline, the error is raised."""
        world = World(refusal(429, "A", retry_after="30"), credentials=APP)

        with pytest.raises(RateLimitError):
            world.call(GET, deadline_s=5.0)

    @pytest.mark.parametrize(
        "reply",
        [
            answer(200, {"access_token": "a"}),
            answer(200, {"access_token": "a b", "token_type": "Bearer", "expires_in": 1}),
            answer(200, {"access_token": "a\r\nX: y", "token_type": "Bearer", "expires_in": 1}),
            answer(200, {"access_token": "a", "token_type": "Bearer", "expires_in": "3600"}),
            answer(200),
        ],
    )
    def test_an_answer_that_is_not_a_token_pair(self, reply: Response) -> None:
        """A pair that cannot be read or sent is a ResponseError; nothing is stored, and the lock is free."""
        world = World(reply, tokens(), user(), credentials=APP)

        with pytest.raises(ResponseError):
            world.call(GET)

        assert world.held is None
        world.call(GET)

    def test_a_token_that_lives_shorter_than_the_leeway_is_used(self) -> None:
        """The new token is used at once, however short its life."""
        world = World(tokens(expires_in=1), user(), credentials=APP)

        world.call(GET)

        assert world.bearers == ["access-2"]


class TestRefusedToken:
    def test_one_refresh_and_one_more_attempt(self) -> None:
        """A 401 renews the token and repeats the request, without a wait."""
        world = World(EXPIRED, tokens(), user(), credentials=SESSION)

        world.call(GET)

        assert (world.grants, world.bearers, world.slept) == (["refresh_token"], ["access-1", "access-2"], [])

    def test_a_second_401_is_raised(self) -> None:
        """A new token that is refused too ends the call."""
        world = World(EXPIRED, tokens(), refusal(401, "INVALID_TOKEN"), credentials=SESSION)

        with pytest.raises(AuthenticationError) as caught:
            world.call(GET)

        assert (caught.value.code, len(world.sent)) == ("INVALID_TOKEN", 3)

    def test_a_token_that_cannot_be_refreshed(self) -> None:
        """An access token without a refresh token is used until it is refused."""
        world = World(EXPIRED, credentials=Credentials(access_token="access-1"))

        with pytest.raises(AuthenticationError) as caught:
            world.call(GET)

        assert (caught.value.code, len(world.sent)) == ("TOKEN_EXPIRED", 1)

    def test_another_task_has_refreshed_it(self) -> None:
        """If the cache holds a different token by then, that one is used."""
        world = World(EXPIRED, user(), credentials=SESSION)
        call = world.engine.call(GET, CallOptions())

        step = next(call)
        assert isinstance(step, Send)
        world.cache.set(world.auth._key, TokenSet(access_token="sibling"))
        step = call.send(EXPIRED)

        assert isinstance(step, Send)
        assert step.request.headers["Authorization"] == "Bearer sibling"

    def test_a_body_that_cannot_be_sent_again(self) -> None:
        """A stream is used up by the first attempt: the 401 is raised."""

        class Stream:
            def read(self, _: int = -1) -> bytes:
                return b""

        world = World(EXPIRED, credentials=SESSION)

        with pytest.raises(AuthenticationError):
            world.call(operations.files_upload(file=Stream()))  # type: ignore[arg-type]

        assert world.grants == []


class TestRefresh:
    def test_the_pair_is_stored_before_it_is_used(self) -> None:
        """When the request with the new token goes out, the pair is in the cache."""
        stored: list[TokenSet | None] = []

        def look(_: Request) -> Response:
            stored.append(world.held)
            return user()

        world = World(tokens(), look, credentials=REFRESH_ONLY)

        world.call(GET)

        assert stored == [
            TokenSet(access_token="access-2", refresh_token="refresh-2", expires_at=START + 3600, issued_at=START),
        ]

    def test_on_token_refreshed_is_called_once(self) -> None:
        """on_token_refreshed gets the pair as a dict, once."""
        world = World(tokens(scope="users:read"), user(), user(), credentials=REFRESH_ONLY)

        world.call(GET)
        world.call(GET)

        assert world.notified == [
            {
                "access_token": "access-2",
                "refresh_token": "refresh-2",
                "expires_at": START + 3600,
                "scope": "users:read",
                "token_type": "Bearer",
                "issued_at": START,
            }
        ]

    def test_without_a_new_refresh_token_the_old_one_stays(self) -> None:
        """RFC 6749 section 6."""
        world = World(tokens(refresh=None), user(), credentials=REFRESH_ONLY)

        world.call(GET)

        pair = world.held
        assert pair is not None
        assert pair.refresh_token == "refresh-1"

    def test_a_public_client_names_itself(self) -> None:
        """Without a secret the client id is in the form."""
        world = World(EXPIRED, tokens(), user(), credentials=SESSION)

        world.call(GET)

        assert form(world.requests[1]) == {
            "grant_type": "refresh_token",
            "refresh_token": "refresh-1",
            "client_id": "app_1",
        }
        assert "Authorization" not in world.requests[1].headers

    def test_a_lost_answer_is_asked_for_once_more(self) -> None:
        """The pair may be lost either way: one more attempt, at once, even with retries turned off."""
        world = World(NetworkError("reset"), tokens(), user(), credentials=REFRESH_ONLY)

        world.call(GET, retry=CallOptions().retry.__class__(max_retries=0))

        assert (world.grants, world.slept) == (["refresh_token"] * 2, [])

    def test_an_answer_lost_twice(self) -> None:
        """The second loss is raised, and the old pair stays for the next call."""
        world = World(NetworkError("reset"), NetworkError("gone"), tokens(), user(), credentials=REFRESH_ONLY)

        with pytest.raises(NetworkError, match="gone"):
            world.call(GET, retry=CallOptions().retry.__class__(max_retries=0))

        world.call(GET)
        assert form(world.requests[2])["refresh_token"] == "refresh-1"

    def test_the_cache_outlives_the_client(self) -> None:
        """A client that starts with the same tokens uses those that an earlier client renewed them to."""
        cache = MemoryCache()
        World(tokens(), user(), credentials=REFRESH_ONLY, cache=cache).call(GET)
        later = World(user(), credentials=REFRESH_ONLY, cache=cache)

        later.call(GET)

        assert later.bearers == ["access-2"]

    def test_the_key_in_the_cache_holds_no_secret(self) -> None:
        """Keys differ by origin, client, scope and initial tokens, and are digests."""
        keys = {c.key(origin) for c in (APP, SESSION, REFRESH_ONLY) for origin in ("https://a", "https://b")}

        assert len(keys) == 6
        assert all("refresh-1" not in key and "s3cret" not in key for key in keys)


class TestDeadRefreshToken:
    def test_log_in_again(self) -> None:
        """Without another way to authenticate, the error says to log in again."""
        world = World(EXPIRED, DEAD, credentials=SESSION)

        with pytest.raises(AuthenticationError) as caught:
            world.call(GET)

        assert caught.value.message == "the session has ended, log in again: refresh token is dead"
        assert (caught.value.code, caught.value.status_code) == ("invalid_grant", 400)

    def test_client_credentials_at_hand(self) -> None:
        """If client credentials are configured, they are used to get new tokens."""
        world = World(EXPIRED, DEAD, tokens(), user(), credentials=BOTH)

        world.call(GET)

        assert world.grants == ["refresh_token", "client_credentials"]
        assert world.bearers == ["access-1", "access-2"]

    def test_a_dead_refresh_token_is_not_kept(self) -> None:
        """New tokens without a refresh token do not inherit the dead one: it would be used again."""
        world = World(EXPIRED, DEAD, tokens(refresh=None), user(), credentials=BOTH)

        world.call(GET)

        pair = world.held
        assert pair is not None
        assert (pair.access_token, pair.refresh_token) == ("access-2", None)

    def test_a_siblings_newer_pair_is_adopted(self) -> None:
        """If another process was faster, its pair in the shared cache is used."""

        def faster(_: Request) -> Response:
            world.cache.set(world.auth._key, TokenSet(access_token="sibling", refresh_token="refresh-9"))
            return DEAD

        world = World(EXPIRED, faster, user(), credentials=SESSION)

        world.call(GET)

        assert world.bearers == ["access-1", "sibling"]

    @pytest.mark.parametrize("code", ["invalid_client", "invalid_request", "unsupported_grant_type"])
    def test_other_refusals_are_raised(self, code: str) -> None:
        """Only invalid_grant means that the token is dead."""
        world = World(EXPIRED, answer(400, {"error": code}), credentials=BOTH)

        with pytest.raises(AuthenticationError) as caught:
            world.call(GET)

        assert (caught.value.code, world.grants) == (code, ["refresh_token"])

    def test_nothing_left_to_refresh_with(self) -> None:
        """A cached token that has expired and cannot be renewed: the error says which credentials to pass."""
        world = World(credentials=Credentials(access_token="access-1"))
        world.cache.set(world.auth._key, TokenSet(access_token="access-1", expires_at=START))

        with pytest.raises(ConfigurationError, match="refresh_token"):
            world.call(GET)


class TestLock:
    def budget(self, world: World, deadline_s: float | None = None) -> Budget:
        return world.engine.budget(CallOptions(deadline_s=deadline_s), "req")

    def test_waiting_for_a_refresh_ends_with_the_deadline(self) -> None:
        """Waiting for a refresh in another task ends with the call's deadline."""
        world = World(credentials=REFRESH_ONLY)
        world.auth._store.lock.acquire()

        with pytest.raises(NetworkError, match="deadline passed during a token refresh") as caught:
            world.call(GET, deadline_s=1.0)

        assert caught.value.request_id is not None

    def test_another_task_refreshed_meanwhile(self) -> None:
        """After waiting, the cache is read again: the new pair is used, and on_token_refreshed is not called again."""
        world = World(credentials=REFRESH_ONLY)
        flow = world.auth.bearer(self.budget(world), rejected=None)

        assert world.perform(next(flow))
        world.cache.set(world.auth._key, TokenSet(access_token="theirs"))
        with pytest.raises(StopIteration) as stopped:
            flow.send(True)  # noqa: FBT003 (the step's result)

        assert stopped.value.value == "theirs"
        assert world.notified == []
        assert world.auth._store.lock.acquire(0.0)

    def test_a_pair_that_another_task_got_meanwhile_is_used_however_short_its_life(self) -> None:
        """A hundred calls that wait for a refresh cause one, also where a token lives no longer than the leeway."""
        world = World(tokens(expires_in=1), user(), credentials=REFRESH_ONLY)
        flow = world.auth.bearer(self.budget(world), rejected=None)
        step = next(flow)
        world.call(GET)
        world.time += 1

        assert world.perform(step)
        with pytest.raises(StopIteration) as stopped:
            flow.send(True)  # noqa: FBT003 (the step's result)

        assert stopped.value.value == "access-2"
        assert len(world.requests) == 2

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), NetworkError("x"), RuntimeError()], ids=repr)
    def test_the_lock_is_released_whatever_happens(self, error: BaseException) -> None:
        """No interruption of a refresh leaves the lock held."""
        world = World(credentials=REFRESH_ONLY)
        flow = world.auth.bearer(self.budget(world), rejected=None)

        assert world.perform(next(flow))
        assert isinstance(flow.send(True), Send)  # noqa: FBT003 (the step's result)
        if isinstance(error, NetworkError):
            flow.throw(error)  # the second attempt
        with pytest.raises(type(error)):
            flow.throw(error)

        assert world.auth._store.lock.acquire(0.0)

    def test_a_refresh_is_not_cut_short(self) -> None:
        """The token request asks not to be cancelled half-way; other requests do not."""
        world = World(tokens(), user(), credentials=REFRESH_ONLY)

        world.call(GET)

        assert [send.must_finish for send in world.sent] == [True, False]


class TestOAuthOperations:
    def test_they_are_signed_with_the_client(self) -> None:
        """Revocation goes to the OAuth origin with the client's authentication."""
        world = World(answer(200), credentials=APP)

        world.call(operations.auth_revoke(token="t"))

        assert world.paths == ["/oauth/revoke"]
        assert world.requests[0].headers["Authorization"].startswith("Basic ")

    def test_a_public_operation_is_not_signed(self) -> None:
        """Metadata is requested without credentials, also when calls are paced."""
        world = World(answer(200, {"keys": []}), credentials=APP)

        world.call(operations.auth_jwks())

        assert "Authorization" not in world.requests[0].headers

    def test_an_api_key_has_no_client(self) -> None:
        """Without a client id the error says what the call needs."""
        world = World()

        with pytest.raises(ConfigurationError, match="auth_introspect needs client_id") as caught:
            world.call(operations.auth_introspect(token="t"))

        assert caught.value.request_id is not None

    def test_their_refusals_speak_oauth(self) -> None:
        """Errors of these endpoints have the RFC's codes; 5xx are retried."""
        world = World(refusal(503), answer(401, {"error": "invalid_client"}), credentials=APP)

        with pytest.raises(RedcoreAPIError) as caught:
            world.call(operations.auth_revoke(token="t"))

        assert (caught.value.code, world.slept) == ("invalid_client", [1.0])


@pytest.mark.parametrize(
    ("value", "sendable"),
    [("rk_live_1", True), ("!~", True), ("", False), ("a b", False), ("a\n", False), ("ü", False), (None, False)],
)
def test_secrets_fit_into_a_header(value: object, sendable: bool) -> None:  # noqa: FBT001
    """Secrets are visible ASCII."""
    assert is_sendable(value) is sendable


def test_no_repr_shows_a_secret() -> None:
    """Credentials and tokens have a repr without secrets."""
    shown = repr((BOTH, APP, TokenSet(access_token="access-1", refresh_token="refresh-1"), MemoryCache()))

    assert not {secret for secret in ("access-1", "refresh-1", "s3cret") if secret in shown}
