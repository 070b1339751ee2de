# ruff: noqa: ARG002 - fakes take what the protocol says
"""The token cache as a client sees it: early refresh, sharing among processes, and fallback when it fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from tests.core.world import START, World, answer, content_of, refusal, tokens, user

from redcore import AsyncClient, Client, ConfigurationError
from redcore._base.operation import Operation
from redcore._call.authenticator import LEASE_MARGIN_S
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore._call.steps import Send
from redcore._spec import operations
from redcore._spec.models import User
from redcore.exceptions import AuthenticationError, NetworkError, RedcoreError, TokenCacheError
from redcore.options import Retry
from redcore.tokens import MemoryCache, TokenSet

GET: Operation[User] = operations.users_get("usr_1")
APP = Credentials(client_id="app_1", client_secret="secret-of-the-app")
DEAD = answer(400, {"error": "invalid_grant", "error_description": "it is dead"})
PERSON = Credentials(client_id="app_1", access_token="access-0", refresh_token="refresh-0")


class Shared:
    """A cache as other processes would see it; the test decides what they do."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.stored: dict[str, TokenSet] = {}
        self.holder: str | None = None
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.fails_at: str | None = None
        self.meanwhile: list[Callable[[], object]] = []

    def get(self, key: str) -> TokenSet | None:
        self._ask("get")
        return self.stored.get(key)

    def set(self, key: str, tokens: TokenSet) -> None:
        self._ask("set")
        self.stored[key] = tokens

    def delete(self, key: str) -> None:
        self._ask("delete")
        self.stored.pop(key, None)

    def try_lock(self, key: str, lease_s: float) -> bool:
        self._ask("try_lock")
        assert lease_s == 60.0 + LEASE_MARGIN_S
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.holder is None:
            self.holder = "us"
            return True
        return False

    def unlock(self, key: str) -> None:
        self._ask("unlock")
        assert self.holder == "us"
        self.holder = None

    @property
    def is_held(self) -> bool:
        """Return whether the lock is held."""
        return self.holder is not None

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if self.fails is not None:
            raise self.fails
        if self.fails_at == name:
            raise OSError


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


def bearers(world: World) -> list[str]:
    """Return the access tokens that calls were made with, in order."""
    sent = [request.headers.get("Authorization", "") for request in world.requests]
    return [value.removeprefix("Bearer ") for value in sent if value.startswith("Bearer ")]


def fresh(access: str, refresh: str | None = None) -> TokenSet:
    return TokenSet(access_token=access, refresh_token=refresh, expires_at=START + 3600, issued_at=START)


class TestAhead:
    def test_the_token_is_refreshed_ahead(self) -> None:
        """With ten per cent of the lifetime left, a little more or less for each client, one call refreshes."""
        world = World(tokens(), user(), user(), tokens("access-3", "refresh-3"), user(), credentials=APP)
        world.call(GET)
        world.time = START + 3600 - 361
        world.call(GET)
        world.time += 1

        world.call(GET)

        assert bearers(world) == ["access-2", "access-2", "access-3"]
        assert [pair["access_token"] for pair in world.notified] == ["access-2", "access-3"]

    def test_others_use_the_old_token_during_an_early_refresh(self) -> None:
        """A call that finds the refresh lock taken does not wait."""
        world = World(tokens(), user(), user(), credentials=APP)
        world.call(GET)
        world.time = START + 3300
        assert world.auth._store.lock.acquire(0.0)

        world.call(GET)

        assert bearers(world) == ["access-2", "access-2"]

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

        assert bearers(world) == ["access-2", "access-2", "access-2"]
        assert "could not be renewed ahead" in caplog.text
        assert "access-2" not in caplog.text

    def test_a_call_with_a_short_deadline_does_not_refresh_ahead(self) -> None:
        """A refresh that is cut short would lose the pair."""
        world = World(tokens(), user(), user(), credentials=APP)
        world.call(GET)
        world.time = START + 3300

        world.call(GET, deadline_s=10.0)

        assert bearers(world) == ["access-2", "access-2"]

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
        cache.stored[world.auth._key] = fresh("theirs")

        world.call(GET)

        assert (bearers(world), world.notified) == (["theirs"], [])

    def test_a_pair_renewed_by_a_sibling_is_found(self) -> None:
        """A client that starts with an old pair finds the one that another process renewed it to."""
        cache = Shared()
        world = World(user(), credentials=PERSON, cache=cache)
        cache.stored[world.auth._key] = fresh("theirs", "refresh-9")

        world.call(GET)

        assert bearers(world) == ["theirs"]

    def test_the_lock_of_another_process_is_waited_for(self) -> None:
        """The delay between looks grows up to a quarter of a second; the stored pair is used in the end."""
        cache = Shared()
        cache.holder = "another process"
        world = World(user(), credentials=APP, cache=cache)
        cache.meanwhile = [*[lambda: None] * 4, lambda: cache.stored.update({world.auth._key: fresh("theirs")})]

        world.call(GET)

        assert bearers(world) == ["theirs"]
        assert world.slept == [pytest.approx(wait) for wait in (0.02, 0.03, 0.045, 0.0675)]
        assert cache.holder == "another process"

    def test_a_lock_that_becomes_free_is_taken(self) -> None:
        """Its holder has failed: then this client refreshes."""
        cache = Shared()
        cache.holder = "another process"
        cache.meanwhile = [lambda: None, lambda: setattr(cache, "holder", None)]
        world = World(tokens(), user(), credentials=APP, cache=cache)

        world.call(GET)

        assert bearers(world) == ["access-2"]
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
            cache.stored[world.auth._key] = fresh("theirs", "refresh-9")
            return answer(400, {"error": "invalid_grant"})

        world.script[:0] = [answer(401, {"error": {"code": "TOKEN_EXPIRED"}}), too_late]
        world.call(GET)

        assert bearers(world) == ["access-0", "theirs"]

    def test_logging_out_waits_for_the_lock_too(self) -> None:
        """Otherwise another process would refresh a pair that is being revoked."""
        cache = Shared()
        world = World(tokens(), user(), answer(200), credentials=APP, cache=cache)
        world.call(GET)
        cache.asked.clear()

        world.run(world.engine.log_out(CallOptions()))

        assert cache.asked == ["try_lock", "get", "delete", "unlock"]
        assert cache.stored == {}


class TestFailure:
    @pytest.mark.parametrize(
        ("problem", "reason"),
        [
            (TokenCacheError("Redis is away; start it"), "Redis is away; start it"),
            (KeyError("token-of-somebody"), "it raised KeyError"),
        ],
    )
    def test_a_broken_cache_is_replaced_by_memory(self, problem: Exception, reason: str) -> None:
        """One warning says what to do; the calls continue, and the cache is not used for a while."""
        cache = Shared()
        cache.fails = problem
        world = World(tokens(), user(), user(), credentials=APP, cache=cache)

        with pytest.warns(RuntimeWarning) as caught:
            world.call(GET)
        asked = len(cache.asked)
        world.call(GET)

        warned = [str(warning.message) for warning in caught]
        assert warned == [
            f"the token cache Shared cannot be used: {reason}; until it can be, tokens are kept in memory"
        ]
        assert (bearers(world), len(cache.asked)) == (["access-2", "access-2"], asked)

    def test_clients_that_share_it_warn_once(self) -> None:
        """There is one warning for the cache, not one for each client."""
        cache = Shared()
        cache.fails = OSError()
        worlds = [World(*script, user(), credentials=APP, cache=cache) for script in ([tokens()], [], [])]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for world in worlds:
                world.call(GET)

        assert len(caught) == 1

    def test_an_older_pair_is_never_used_again(self) -> None:
        """The cache fails when the new pair is stored, and still has the old one later: it gets the new one."""
        cache = Shared()
        world = World(tokens(), user(), tokens("access-3", "refresh-3"), user(), credentials=PERSON, cache=cache)
        world.script.insert(0, answer(401, {"error": {"code": "TOKEN_EXPIRED"}}))

        def fail() -> None:
            cache.fails = OSError()

        def break_after(request: Any) -> Any:
            fail()
            return tokens()

        world.script[1] = break_after
        with pytest.warns(RuntimeWarning):
            world.call(GET)
        cache.fails, cache.holder = None, None  # the lease of the lock that could not be released has expired
        cache.stored[world.auth._key] = TokenSet(access_token="access-0", refresh_token="refresh-0", expires_at=0.0)
        world.time += 3600

        world.call(GET)

        assert b"refresh_token=refresh-2" in content_of(world.requests[-2])
        assert cache.stored[world.auth._key].refresh_token == "refresh-3"

    def test_a_cache_that_was_restored_to_an_older_pair_gets_the_newer_one(self) -> None:
        """As Redis after a failover: the older refresh token is dead, and sending it would end the session."""
        cache = Shared()
        world = World(tokens(), user(), tokens("access-3", "refresh-3"), user(), credentials=PERSON, cache=cache)
        cache.stored[world.auth._key] = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 100
        world.call(GET)
        cache.stored[world.auth._key] = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 3600

        world.call(GET)

        assert b"refresh_token=refresh-2" in content_of(world.requests[-2])
        assert cache.stored[world.auth._key].refresh_token == "refresh-3"

    def test_the_newer_pair_is_stored_again_although_its_refresh_fails(self) -> None:
        """A process that starts afterwards must not find the dead one."""
        cache = Shared()
        lost = [NetworkError("no answer")] * 2
        world = World(tokens(), user(), *lost, credentials=PERSON, cache=cache)
        cache.stored[world.auth._key] = older = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 100
        world.call(GET)
        newer, cache.stored[world.auth._key] = cache.stored[world.auth._key], older
        world.time += 3600

        with pytest.raises(NetworkError):
            world.call(GET, retry=Retry(max_retries=0))

        assert cache.stored[world.auth._key] == newer

    def test_a_siblings_pair_counts_although_the_clock_was_set_back(self) -> None:
        """The pair of this process was then issued in the future, and the times of the two cannot be compared."""
        cache = Shared()
        world = World(tokens(), user(), user(), credentials=PERSON, cache=cache)
        cache.stored[world.auth._key] = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 7200
        world.call(GET)
        world.time -= 7000
        cache.stored[world.auth._key] = attrs.evolve(fresh("access-3", "refresh-3"), issued_at=world.time - 1)

        world.call(GET)

        assert bearers(world) == ["access-2", "access-3"]

    def test_a_failed_cache_is_tried_again_after_a_minute(self) -> None:
        """The next call writes the missed pair to it, so that the other processes use that."""
        cache = Shared()
        cache.fails_at = "set"
        world = World(tokens(), user(), user(), user(), credentials=APP, cache=cache)
        with pytest.warns(RuntimeWarning):
            world.call(GET)
        cache.fails_at = None

        world.time += 59.0
        world.call(GET)
        assert cache.stored == {}
        world.time += 1.0
        world.call(GET)

        assert cache.stored == {world.auth._key: world.auth._store.known()}
        assert bearers(world) == ["access-2"] * 3

    def test_a_cache_may_fail_repeatedly(self) -> None:
        """Each time it is not used for a minute; only the first failure warns."""
        cache = Shared()
        cache.fails = OSError()
        world = World(tokens(), user(), user(), user(), credentials=APP, cache=cache)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                world.call(GET)
                world.time += 60.0

        assert (len(caught), cache.asked.count("get")) == (1, 3)

    def test_a_newer_pair_of_a_sibling_is_used_after_a_failure(self) -> None:
        """The pair in the cache is newer than the one that could not be stored."""
        cache = Shared()
        cache.fails_at = "set"
        world = World(tokens(), user(), user(), credentials=APP, cache=cache)
        with pytest.warns(RuntimeWarning):
            world.call(GET)
        cache.fails_at = None
        world.time += 60.0
        cache.stored[world.auth._key] = TokenSet(access_token="theirs", expires_at=START + 3660, issued_at=START + 60)

        world.call(GET)

        assert bearers(world) == ["access-2", "theirs"]

    @pytest.mark.parametrize("wrong", [{"access_token": "token-of-somebody"}, "token-of-somebody", 5])
    def test_a_cache_that_returns_another_type_has_failed(self, wrong: Any) -> None:
        """The warning names the type of the value, and not its content."""
        cache = Shared()
        world = World(tokens(), user(), credentials=APP, cache=cache)
        cache.stored[world.auth._key] = wrong

        with pytest.warns(RuntimeWarning, match=r"its get\(\) gave \w+, not TokenSet or None; until it can be"):
            world.call(GET)

        assert bearers(world) == ["access-2"]

    def test_a_strict_cache_raises(self) -> None:
        """The error is typed and says what to do, without quoting the original one."""
        cache = Shared(strict=True)
        cache.fails = KeyError("token-of-somebody")
        world = World(credentials=APP, cache=cache)

        with pytest.raises(
            TokenCacheError, match="the token cache Shared cannot be used: it raised KeyError"
        ) as caught:
            world.call(GET)

        assert caught.value.__cause__ is None
        assert caught.value.request_id is not None


class TestAfterFailure:
    """A cache that failed, and what must hold afterwards."""

    def test_the_lock_is_released_although_storing_failed(self) -> None:
        """Otherwise all other processes would wait for it until this one ends."""
        cache = Shared()
        world = World(tokens(), user(), credentials=APP, cache=cache)
        cache.fails_at = "set"

        with pytest.warns(RuntimeWarning):
            world.call(GET)

        assert not cache.is_held

    def test_clients_of_a_broken_cache_share_a_pair(self) -> None:
        """The second one must not use a refresh token that the first has used up."""
        cache = Shared()
        first = World(
            answer(401, {"error": {"code": "TOKEN_EXPIRED"}}), tokens(), user(), credentials=PERSON, cache=cache
        )
        second = World(user(), credentials=PERSON, cache=cache)
        cache.fails_at = "set"

        with pytest.warns(RuntimeWarning):
            first.call(GET)
        second.call(GET)

        assert bearers(second) == ["access-2"]

    def test_on_token_refreshed_gets_the_pair_that_a_strict_cache_lost(self) -> None:
        """The application may store it itself, and the old one is dead."""
        cache = Shared(strict=True)
        world = World(tokens(), credentials=APP, cache=cache)
        cache.fails_at = "set"

        with pytest.raises(TokenCacheError):
            world.call(GET)

        assert [pair["access_token"] for pair in world.notified] == ["access-2"]
        assert not cache.is_held

    def test_the_pair_that_a_strict_cache_lost_is_the_newer_one(self) -> None:
        """An hour later the cache still has the old pair, whose refresh token is used up: that is not used again."""
        cache = Shared(strict=True)
        script = [tokens(), user(), tokens("access-3", "refresh-3"), user()]
        world = World(*script, credentials=PERSON, cache=cache)
        cache.stored[world.auth._key] = TokenSet(access_token="access-0", refresh_token="refresh-0", expires_at=0.0)
        cache.fails_at = "set"
        with pytest.raises(TokenCacheError):
            world.call(GET)
        cache.fails_at = None
        world.call(GET)
        world.time += 3600

        world.call(GET)

        assert b"refresh_token=refresh-2" in content_of(world.requests[-2])

    def test_a_siblings_newer_refresh_token_is_tried(self) -> None:
        """Its access token has expired too, but its refresh token is valid."""
        cache = Shared()
        ended = TokenSet(access_token="theirs", refresh_token="refresh-9", expires_at=START)
        world = World(credentials=PERSON, cache=cache)

        def too_late(_: object) -> Any:
            cache.stored[world.auth._key] = ended
            return answer(400, {"error": "invalid_grant"})

        world.script = [answer(401, {"error": {"code": "TOKEN_EXPIRED"}}), too_late, tokens(), user()]
        world.call(GET)

        assert b"refresh_token=refresh-9" in content_of(world.requests[2])
        assert bearers(world)[-1] == "access-2"


class Awaited:
    """A cache of coroutine functions."""

    async def get(self, key: str) -> TokenSet | None:
        return None

    async def set(self, key: str, tokens: TokenSet) -> None: ...

    async def delete(self, key: str) -> None: ...


class TestColours:
    def test_the_blocking_client_refuses_coroutine_functions(self) -> None:
        """A cache or a callback of coroutine functions would never run."""

        async def note(_: dict[str, Any]) -> None: ...

        with pytest.raises(ConfigurationError, match="token_cache: Awaited must be awaited; use AsyncClient"):
            Client(api_key="rk_test_key", token_cache=Awaited())  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="on_token_refreshed is a coroutine function"):
            Client(api_key="rk_test_key", on_token_refreshed=note)  # type: ignore[arg-type]

    def test_the_async_client_takes_both(self) -> None:
        """Blocking ones are accepted, too."""
        AsyncClient(api_key="rk_test_key", token_cache=Awaited())
        AsyncClient(api_key="rk_test_key", token_cache=MemoryCache())


class TestSharedRefusals:
    """A refusal is a result of a refresh like a new pair: calls that wait for the refresh get it, without a request."""

    def test_a_dead_refresh_token_is_used_once(self) -> None:
        """All later calls get the refusal of the first, without a request."""
        world = World(answer(401, {"error": {"code": "TOKEN_EXPIRED"}}), DEAD, credentials=PERSON)
        with pytest.raises(AuthenticationError, match="log in again: it is dead") as first:
            world.call(GET)
        world.script = [answer(401, {"error": {"code": "TOKEN_EXPIRED"}})]

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
        cache.stored[worlds[0].auth._key] = TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=0.0)
        worlds[0].script = [DEAD]

        for world in worlds:
            with pytest.raises(AuthenticationError, match="log in again") as caught:
                world.call(GET)
            assert caught.value.code == "invalid_grant"

        assert [world.paths for world in worlds] == [["/oauth/token"], []]
        assert cache.stored[worlds[0].auth._key].access_token == "access-1"

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
        cache.stored[world.auth._key] = pair

        with pytest.raises(AuthenticationError):
            world.call(GET)

        assert cache.stored == {world.auth._key: pair}

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
        world.auth._store.lock.acquire()

        with pytest.raises(NetworkError, match=r"another call in this process has been renewing the token for 9\.0 s"):
            world.call(GET, timeout_s=2.0, retry=Retry(max_retries=0))

        assert world.time == START + 9.0


class TestFlaws:
    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"access_token": "a\r\nX-Admin: 1"}, "an access_token that cannot be sent"),
            ({"access_token": b"a"}, "an access_token that cannot be sent"),
            ({"access_token": "a", "refresh_token": 5}, "a refresh_token that cannot be sent"),
            ({"access_token": "a", "expires_at": "soon"}, "a time that is not a number of seconds"),
            ({"access_token": "a", "expires_at": True}, "a time that is not a number of seconds"),
            ({"access_token": "a", "issued_at": float("nan")}, "a time that is not a number of seconds"),
            ({"access_token": "a", "expires_at": 10**400}, "a time that is not a number of seconds"),
            ({"access_token": "a", "scope": ["users:read"]}, "a scope or a token_type that is not a string"),
        ],
    )
    def test_tokens_of_a_cache_are_checked_like_arguments(self, fields: dict[str, Any], problem: str) -> None:
        """One warning says what is wrong, without the value; the call continues with tokens of its own."""
        cache = Shared()
        world = World(tokens(), user(), credentials=APP, cache=cache)
        cache.stored[world.auth._key] = TokenSet(**fields)

        with pytest.warns(RuntimeWarning, match=rf"its get\(\) gave tokens with {problem}; until it can be"):
            world.call(GET)

        assert bearers(world) == ["access-2"]
