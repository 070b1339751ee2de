"""How a Redis URL is read, and what of it is shown."""

from __future__ import annotations

import sys

import pytest
import redis
import redis.asyncio

from redcore.exceptions import ConfigurationError
from redcore.tokens.redis_client import RedisUrl, answers_later


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", "localhost:6379"),
        ("redis://user:canary@example.com:6380/2?password=canary", "example.com:6380"),
        ("rediss://:canary@example.com", "example.com:6379"),
        ("redis://[::1]:6380", "::1:6380"),
        ("unix:///run/redis.sock?password=canary&db=1", "/run/redis.sock"),
        ("redis+cluster://:canary@example.com:7000", "example.com:7000"),
        ("rediss+cluster://:canary@example.com:7000/0", "example.com:7000"),
        ("redis+cluster://:canary@a:7000,b,[::1]:7002/0?protocol=3", "a:7000, b:6379, ::1:7002"),
        ("rediss+cluster://user:ca%2Cnary@a, b:7001,", "a:6379, b:7001"),
    ],
)
def test_a_url_shows_where_it_leads(url: str, address: str) -> None:
    """The repr of a URL has neither user nor password."""
    assert RedisUrl(url).address == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://canary@example.com",
        "redis://:canary@host:port",
        "redis://host?db=canary",
        "redis://:canary@a,b",
        "redis+cluster://:canary@a:7000,b:port",
        "redis+cluster://:canary@",
        "redis+cluster://:canary@[::1,b",
        "redis+cluster://:canary@a,b/2",
        "redis+cluster://:canary@a,b?db=2",
    ],
)
def test_invalid_urls(url: str) -> None:
    """An invalid URL is refused with the accepted forms, and not repeated."""
    with pytest.raises(ConfigurationError, match=r"give redis://, rediss://, unix://, or redis\+cluster://") as caught:
        RedisUrl(url)

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "redis.connection", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'redcore-sdk\[redis\]'"):
        RedisUrl("redis://localhost")


def test_waits_are_bounded() -> None:
    """A Redis that does not answer is given up on after two seconds; a URL may set another time-out."""
    client = RedisUrl("redis://localhost?socket_timeout=0.5").client()

    assert isinstance(client, redis.Redis)
    options = client.connection_pool.connection_kwargs
    assert (options["socket_connect_timeout"], options["socket_timeout"]) == (2.0, 0.5)
    assert options["retry"].get_retries() == 1


def test_one_client_for_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fork the child does not use the connections of its parent."""
    url = RedisUrl("redis://localhost")
    ours = url.client()
    assert url.client() is ours

    monkeypatch.setattr("os.getpid", lambda: -1)

    assert url.client() is not ours
    assert url.client() is url.client()


@pytest.mark.parametrize(
    ("client", "later"),
    [(redis.Redis(), False), (redis.asyncio.Redis(), True), (redis.asyncio.RedisCluster(host="localhost"), True)],
)
def test_the_colour_of_a_client(client: redis.Redis, later: bool) -> None:  # noqa: FBT001 (a case)
    """Clients for asyncio are distinguished from blocking ones."""
    assert answers_later(client) is later
