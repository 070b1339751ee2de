"""Token pairs of one cache: renewed ahead by one call, and by one process for all."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.shared_caches import APP, PERSON, Shared, fresh
from tests.core.world import EXPIRED, GET, START, World, answer, refusal, tokens, user

from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore._call.steps import Send
from redcore.exceptions import AuthenticationError, NetworkError, RedcoreError
from redcore.options import Retry
from redcore.tokens import TokenSet


class Unlocked:
    """A cache of the application, without locks."""

    def __init__(self) -> None:
        self.stored: dict[str, TokenSet] = {}

    def get(self, key: str) -> TokenSet | None:
        return self.stored.get(key)

    def set(self, key: str, tokens: TokenSet) -> None:
        self.stored[key] = tokens

    def delete(self, key: str) -> None:
        self.stored.pop(key, None)


DEAD = answer(400, {"error": "invalid_grant", "error_description": "it is dead"})


class TestAhead:
    def test_the_token_is_refreshed_ahead(self) -> None:
        """With ten per cent of the lifetime left, a little more or less for each client, one call refreshes."""
        world = World(tokens(), user(), user(), tokens("access-3", "refresh-3"), user(), credentials=APP)
        world.call(GET)
        world.time = START + 3600 - 361
        world.call(GET)
        world.time += 1

        world.call(GET)

        assert world.bearers == ["access-2", "access-2", "access-3"]
        assert [pair["access_token"] for pair in world.notified] == ["access-2", "access-3"]

    def test_others_use_the_old_token_during_an_early_refresh(self) -> None:
        """A call that finds the refresh lock taken does not wait."""
        world = World(tokens(), user(), user(), credentials=APP)
        world.call(GET)
        world.time = START + 3300
        assert world.lock.acquire(0.0)

        world.call(GET)

        assert world.bearers == ["access-2", "access-2"]

    @pytest.mark.parametrize("problem", [NetworkError("reset"), refusal(503), answer(400, {"error": "invalid_grant"})])
    def test_a_failed_early_refresh_costs_the_call_nothing(
        self, problem: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The call uses the token that still works; the failure is logged, and the next attempt waits a minute."""
        twice = [problem, problem] if isinstance(problem, NetworkError) else [problem]
        world = World(tokens(), user(), *twice, user(), user(), credentials=APP)
        if not isinstance(problem, NetworkError) and problem.status_code == 400:
            world.script.insert(3, refusal(503))  # then it authenticates with its own credentials
        world.call(GET)
        world.time = START + 3300

        world.call(GET)
        world.time += 59.0
        world.call(GET)

        assert world.bearers == ["access-2", "access-2", "access-2"]
        assert "could not be renewed ahead" in caplog.text
        assert "access-2" not in caplog.text

    def test_a_call_with_a_short_deadline_does_not_refresh_ahead(self) -> None:
        """A refresh that is cut short would lose the pair."""
        world = World(tokens(), user(), user(), credentials=APP)
        world.call(GET)
        world.time = START + 3300

        world.call(GET, deadline_s=10.0)

        assert world.bearers == ["access-2", "access-2"]

    def test_a_short_lifetime_has_no_early_refresh(self) -> None:
        """Less than five minutes: too little would be left of it."""
        assert not TokenSet(access_token="a", issued_at=0.0, expires_at=299.0).is_ageing(298.0, 0.0)
        assert TokenSet(access_token="a", issued_at=0.0, expires_at=300.0).is_ageing(298.0, 0.0)

    @pytest.mark.parametrize(("draw", "left_s"), [(0.0, 540.0), (0.5, 360.0), (1.0, 180.0)])
    def test_clients_do_not_refresh_at_the_same_moment(self, draw: float, left_s: float) -> None:
        """The early refresh starts when 15 % to 5 % of the lifetime is left."""
        pair = fresh("a")
        assert not pair.is_ageing(START + 3600 - left_s - 0.001, draw)
        assert pair.is_ageing(START + 3600 - left_s, draw)


class TestShared:
    def test_a_fresh_token_causes_no_request(self) -> None:
        """After the first call the cache is not read until the token expires."""
        cache = Shared()
        world = World(tokens(), user(), user(), user(), credentials=APP, cache=cache)
        world.call(GET)
        asked = len(cache.asked)

        world.call(GET)
        world.call(GET)

        assert cache.asked == ["get", "try_lock", "get", "set", "unlock"]
        assert len(cache.asked) == asked

    def test_a_token_stored_by_another_process_is_used(self) -> None:
        """No token is requested, and on_token_refreshed is not called."""
        cache = Shared()
        world = World(user(), credentials=APP, cache=cache)
        cache.stored[world.key] = fresh("theirs")

        world.call(GET)

        assert (world.bearers, world.notified) == (["theirs"], [])

    def test_a_pair_renewed_by_a_sibling_is_found(self) -> None:
        """A client that starts with an old pair finds the one that another process renewed it to."""
        cache = Shared()
        world = World(user(), credentials=PERSON, cache=cache)
        cache.stored[world.key] = fresh("theirs", "refresh-9")

        world.call(GET)

        assert world.bearers == ["theirs"]

    def test_the_lock_of_another_process_is_waited_for(self) -> None:
        """The delay between looks grows up to a quarter of a second; the stored pair is used in the end."""
        cache = Shared()
        cache.holder = "another process"
        world = World(user(), credentials=APP, cache=cache)
        cache.meanwhile = [*[lambda: None] * 4, lambda: cache.stored.update({world.key: fresh("theirs")})]

        world.call(GET)

        assert world.bearers == ["theirs"]
        assert world.slept == [pytest.approx(wait) for wait in (0.02, 0.03, 0.045, 0.0675)]
        assert cache.holder == "another process"

    def test_a_lock_that_becomes_free_is_taken(self) -> None:
        """Its holder has failed: then this client refreshes."""
        cache = Shared()
        cache.holder = "another process"
        cache.meanwhile = [lambda: None, lambda: setattr(cache, "holder", None)]
        world = World(tokens(), user(), credentials=APP, cache=cache)

        world.call(GET)

        assert world.bearers == ["access-2"]
        assert not cache.is_held
        assert next(iter(cache.stored.values())).access_token == "access-2"

    def test_waiting_ends_with_the_deadline(self) -> None:
        """A typed error says what was waited for."""
        cache = Shared()
        cache.holder = "another process"
        world = World(credentials=APP, cache=cache)

        with pytest.raises(NetworkError, match="another process has been renewing the token"):
            world.call(GET, deadline_s=1.0)

        assert sum(world.slept) < 1.0

    def test_waiting_without_a_deadline_is_bounded(self) -> None:
        """After twice the time that any holder may take."""
        cache = Shared()
        cache.holder = "another process"
        world = World(credentials=APP, cache=cache)

        with pytest.raises(NetworkError, match="another process has been renewing"):
            world.call(GET, retry=Retry(max_retries=0))

        assert 129.0 < sum(world.slept) < 131.0

    def test_the_lock_is_released_when_the_refresh_fails(self) -> None:
        """Whatever the failure."""
        cache = Shared()
        world = World(answer(401, {"error": "invalid_client"}), credentials=APP, cache=cache)

        with pytest.raises(AuthenticationError):
            world.call(GET)

        assert (cache.holder, cache.stored) == (None, {})

    def test_a_dead_refresh_token_is_forgiven_when_a_sibling_has_a_newer_pair(self) -> None:
        """A process that does not take the lock was faster; its pair is not deleted, but used."""
        cache = Shared()
        world = World(user(), credentials=PERSON, cache=cache)

        def too_late(_: object) -> Any:
            cache.stored[world.key] = fresh("theirs", "refresh-9")
            return answer(400, {"error": "invalid_grant"})

        world.script[:0] = [EXPIRED, too_late]
        world.call(GET)

        assert world.bearers == ["access-0", "theirs"]

    def test_logging_out_waits_for_the_lock_too(self) -> None:
        """Otherwise another process would refresh a pair that is being revoked."""
        cache = Shared()
        world = World(tokens(), user(), answer(200), credentials=APP, cache=cache)
        world.call(GET)
        cache.asked.clear()

        world.run(world.engine.log_out(CallOptions()))

        assert cache.asked == ["try_lock", "get", "delete", "unlock"]
        assert cache.stored == {}


class TestSharedRefusals:
    """A refusal is a result of a refresh like a new pair: calls that wait for the refresh get it, without a request."""

    def test_a_dead_refresh_token_is_used_once(self) -> None:
        """All later calls get the refusal of the first, without a request."""
        world = World(EXPIRED, DEAD, credentials=PERSON)
        with pytest.raises(AuthenticationError, match="log in again: it is dead") as first:
            world.call(GET)
        world.script = [EXPIRED]

        with pytest.raises(AuthenticationError, match="log in again: it is dead") as second:
            world.call(GET)

        assert world.paths.count("/oauth/token") == 1
        assert (second.value.code, second.value.request_id) == ("invalid_grant", first.value.request_id)
        assert second.value is not first.value

    def test_another_process_does_not_use_it_either(self) -> None:
        """The dead refresh token is removed from the shared cache; the access token stays."""
        cache, other = Shared(), Shared()
        other.stored = cache.stored
        worlds = [World(credentials=PERSON, cache=each) for each in (cache, other)]
        cache.stored[worlds[0].key] = TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=0.0)
        worlds[0].script = [DEAD]

        for world in worlds:
            with pytest.raises(AuthenticationError, match="log in again") as caught:
                world.call(GET)
            assert caught.value.code == "invalid_grant"

        assert [world.paths for world in worlds] == [["/oauth/token"], []]
        assert cache.stored[worlds[0].key].access_token == "access-1"

    def test_a_session_that_never_had_an_access_token_ends_for_all_processes(self) -> None:
        """The cache then holds no token at all, which is not a failure: there is no further request and no warning."""
        cache, other = Shared(), Shared()
        other.stored = cache.stored
        person = Credentials(client_id="app_1", refresh_token="refresh-0")
        worlds = [World(credentials=person, cache=each) for each in (cache, other)]
        worlds[0].script = [DEAD]

        for world in worlds:
            with pytest.raises(AuthenticationError, match="log in again") as caught:
                world.call(GET)
            assert caught.value.code == "invalid_grant"

        assert [world.paths for world in worlds] == [["/oauth/token"], []]

    def test_a_cache_without_locks_keeps_the_refresh_token(self) -> None:
        """Another process may have stored a newer pair meanwhile, which must not be overwritten."""
        cache = Unlocked()
        world = World(DEAD, credentials=PERSON, cache=cache)
        pair = TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=0.0)
        cache.stored[world.key] = pair

        with pytest.raises(AuthenticationError):
            world.call(GET)

        assert cache.stored == {world.key: pair}

    @pytest.mark.parametrize("failure", [refusal(503), NetworkError("reset")], ids=["answer", "no answer"])
    def test_a_failure_is_shared_with_the_calls_that_waited_for_it(self, failure: Any) -> None:
        """One request, and both calls get its error; a later call tries again."""
        world = World(failure, tokens(), user(), credentials=APP)
        once = CallOptions(retry=Retry(max_retries=0))
        waiting = world.engine.call(GET, once)
        step = next(waiting)
        with pytest.raises(RedcoreError) as first:
            world.call(GET, retry=Retry(max_retries=0))

        with pytest.raises(RedcoreError) as second:
            waiting.send(world.perform(step))

        assert len(world.sent) == 1
        assert type(second.value) is type(first.value)
        assert second.value is not first.value
        assert world.call(GET).id == "usr_1"

    def test_a_failure_by_deadline_is_not_shared(self) -> None:
        """The refreshing call had less time than the waiting one, which tries again."""
        world = World(NetworkError("time-out"), tokens(), user(), credentials=APP)
        waiting = world.engine.call(GET, CallOptions())
        step = next(waiting)
        with pytest.raises(NetworkError):
            world.call(GET, timeout_s=1.0, retry=Retry(max_retries=0))

        sent = waiting.send(world.perform(step))

        assert isinstance(sent, Send)

    def test_no_wait_for_a_refresh_is_endless(self) -> None:
        """It ends when two attempts would have; the error says what was waited for."""
        world = World(credentials=APP)
        world.lock.acquire()

        with pytest.raises(NetworkError, match=r"another call in this process has been renewing the token for 9\.0 s"):
            world.call(GET, timeout_s=2.0, retry=Retry(max_retries=0))

        assert world.time == START + 9.0
