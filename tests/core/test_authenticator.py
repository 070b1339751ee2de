"""From credentials to an access token, driven without any I/O."""

from __future__ import annotations

import base64

import pytest
from tests.core.credentials import APP, BOTH, SESSION
from tests.core.world import EXPIRED, GET, World, answer, form, refusal, tokens, user

from redcore._base.response import Response
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore._call.steps import Send
from redcore._spec import operations
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
        world.cache.set(world.key, TokenSet(access_token="sibling"))
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
