"""How an access token is refreshed: before it expires, with a dead refresh token, and by one call for all."""

from __future__ import annotations

import pytest
from tests.core.credentials import APP, BOTH, REFRESH_ONLY, SESSION
from tests.core.world import EXPIRED, GET, START, World, answer, form, tokens, user

from redcore._base.response import Response
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore._call.steps import Budget, Send
from redcore._wire.encoding import Request
from redcore.exceptions import (
    AuthenticationError,
    ConfigurationError,
    NetworkError,
)
from redcore.tokens import MemoryCache, TokenSet

DEAD = answer(400, {"error": "invalid_grant", "error_description": "refresh token is dead"})


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
            world.cache.set(world.key, TokenSet(access_token="sibling", refresh_token="refresh-9"))
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
        world.cache.set(world.key, TokenSet(access_token="access-1", expires_at=START))

        with pytest.raises(ConfigurationError, match="refresh_token"):
            world.call(GET)


class TestLock:
    def budget(self, world: World, deadline_s: float | None = None) -> Budget:
        return world.engine.budget(CallOptions(deadline_s=deadline_s), "req")

    def test_waiting_for_a_refresh_ends_with_the_deadline(self) -> None:
        """Waiting for a refresh in another task ends with the call's deadline."""
        world = World(credentials=REFRESH_ONLY)
        world.lock.acquire()

        with pytest.raises(NetworkError, match="deadline passed during a token refresh") as caught:
            world.call(GET, deadline_s=1.0)

        assert caught.value.request_id is not None

    def test_another_task_refreshed_meanwhile(self) -> None:
        """After waiting, the cache is read again: the new pair is used, and on_token_refreshed is not called again."""
        world = World(credentials=REFRESH_ONLY)
        flow = world.auth.bearer(self.budget(world), rejected=None)

        assert world.perform(next(flow))
        world.cache.set(world.key, TokenSet(access_token="theirs"))
        with pytest.raises(StopIteration) as stopped:
            flow.send(True)  # noqa: FBT003 (the step's result)

        assert stopped.value.value == "theirs"
        assert world.notified == []
        assert world.lock.acquire(0.0)

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

        assert world.lock.acquire(0.0)

    def test_a_refresh_is_not_cut_short(self) -> None:
        """The token request asks not to be cancelled half-way; other requests do not."""
        world = World(tokens(), user(), credentials=REFRESH_ONLY)

        world.call(GET)

        assert [send.must_finish for send in world.sent] == [True, False]
