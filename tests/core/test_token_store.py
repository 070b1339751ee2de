# ruff: noqa: ARG002 - fakes take what the protocol says
"""The token cache as a client sees it: what happens when it fails, and what it must not give."""

from __future__ import annotations

import warnings
from typing import Any

import attrs
import pytest
from tests.core.shared_caches import APP, PERSON, Shared, fresh
from tests.core.world import EXPIRED, GET, START, World, answer, content_of, tokens, user

from redcore import AsyncClient, Client, ConfigurationError
from redcore._call.credentials import Credentials
from redcore.exceptions import NetworkError, TokenCacheError
from redcore.options import Retry
from redcore.tokens import MemoryCache, TokenSet


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
        assert (world.bearers, len(cache.asked)) == (["access-2", "access-2"], asked)

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
        world.script.insert(0, EXPIRED)

        def fail() -> None:
            cache.fails = OSError()

        def break_after(request: Any) -> Any:
            fail()
            return tokens()

        world.script[1] = break_after
        with pytest.warns(RuntimeWarning):
            world.call(GET)
        cache.fails, cache.holder = None, None  # the lease of the lock that could not be released has expired
        cache.stored[world.key] = TokenSet(access_token="access-0", refresh_token="refresh-0", expires_at=0.0)
        world.time += 3600

        world.call(GET)

        assert b"refresh_token=refresh-2" in content_of(world.requests[-2])
        assert cache.stored[world.key].refresh_token == "refresh-3"

    def test_a_cache_that_was_restored_to_an_older_pair_gets_the_newer_one(self) -> None:
        """As Redis after a failover: the older refresh token is dead, and sending it would end the session."""
        cache = Shared()
        world = World(tokens(), user(), tokens("access-3", "refresh-3"), user(), credentials=PERSON, cache=cache)
        cache.stored[world.key] = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 100
        world.call(GET)
        cache.stored[world.key] = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 3600

        world.call(GET)

        assert b"refresh_token=refresh-2" in content_of(world.requests[-2])
        assert cache.stored[world.key].refresh_token == "refresh-3"

    def test_the_newer_pair_is_stored_again_although_its_refresh_fails(self) -> None:
        """A process that starts afterwards must not find the dead one."""
        cache = Shared()
        lost = [NetworkError("no answer")] * 2
        world = World(tokens(), user(), *lost, credentials=PERSON, cache=cache)
        cache.stored[world.key] = older = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 100
        world.call(GET)
        newer, cache.stored[world.key] = cache.stored[world.key], older
        world.time += 3600

        with pytest.raises(NetworkError):
            world.call(GET, retry=Retry(max_retries=0))

        assert cache.stored[world.key] == newer

    def test_a_siblings_pair_counts_although_the_clock_was_set_back(self) -> None:
        """The pair of this process was then issued in the future, and the times of the two cannot be compared."""
        cache = Shared()
        world = World(tokens(), user(), user(), credentials=PERSON, cache=cache)
        cache.stored[world.key] = attrs.evolve(fresh("access-0", "refresh-0"), expires_at=START)
        world.time += 7200
        world.call(GET)
        world.time -= 7000
        cache.stored[world.key] = attrs.evolve(fresh("access-3", "refresh-3"), issued_at=world.time - 1)

        world.call(GET)

        assert world.bearers == ["access-2", "access-3"]

    def test_what_the_given_pair_was_refreshed_to_counts_however_old_it_looks(self) -> None:
        """The clock was behind at that refresh, as after a boot without a battery: the given refresh token is dead."""
        cache = Shared()
        world = World(tokens(), user(), credentials=Credentials(client_id="app_1", personal=True), cache=cache)
        world.auth.resume(fresh("access-0", "refresh-0"))
        cache.stored[world.key] = attrs.evolve(
            fresh("access-1", "refresh-1"), issued_at=START - 7200, expires_at=START - 3600
        )

        world.call(GET)

        assert b"refresh_token=refresh-1" in content_of(world.requests[0])
        assert cache.stored[world.key].refresh_token == "refresh-2"

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

        assert cache.stored == {world.key: world.auth._store.known()}
        assert world.bearers == ["access-2"] * 3

    def test_a_failed_cache_is_tried_again_when_the_monotonic_clock_goes_back(self) -> None:
        """As where a machine is restored from a snapshot."""
        cache = Shared()
        cache.fails_at = "set"
        world = World(tokens(), user(), user(), credentials=APP, cache=cache)
        with pytest.warns(RuntimeWarning):
            world.call(GET)
        cache.fails_at = None
        world.auth._monotonic = world.auth._store._monotonic = lambda: -900_000.0

        world.call(GET)

        assert cache.stored[world.key].access_token == "access-2"

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
        cache.stored[world.key] = TokenSet(access_token="theirs", expires_at=START + 3660, issued_at=START + 60)

        world.call(GET)

        assert world.bearers == ["access-2", "theirs"]

    @pytest.mark.parametrize("wrong", [{"access_token": "token-of-somebody"}, "token-of-somebody", 5])
    def test_a_cache_that_returns_another_type_has_failed(self, wrong: Any) -> None:
        """The warning names the type of the value, and not its content."""
        cache = Shared()
        world = World(tokens(), user(), credentials=APP, cache=cache)
        cache.stored[world.key] = wrong

        with pytest.warns(RuntimeWarning, match=r"its get\(\) gave \w+, not TokenSet or None; until it can be"):
            world.call(GET)

        assert world.bearers == ["access-2"]

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
        first = World(EXPIRED, tokens(), user(), credentials=PERSON, cache=cache)
        second = World(user(), credentials=PERSON, cache=cache)
        cache.fails_at = "set"

        with pytest.warns(RuntimeWarning):
            first.call(GET)
        second.call(GET)

        assert second.bearers == ["access-2"]

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
        cache.stored[world.key] = TokenSet(access_token="access-0", refresh_token="refresh-0", expires_at=0.0)
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
            cache.stored[world.key] = ended
            return answer(400, {"error": "invalid_grant"})

        world.script = [EXPIRED, too_late, tokens(), user()]
        world.call(GET)

        assert b"refresh_token=refresh-9" in content_of(world.requests[2])
        assert world.bearers[-1] == "access-2"


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
        cache.stored[world.key] = TokenSet(**fields)

        with pytest.warns(RuntimeWarning, match=rf"its get\(\) gave tokens with {problem}; until it can be"):
            world.call(GET)

        assert world.bearers == ["access-2"]
