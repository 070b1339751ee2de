"""Calls over a real connection, in all colours."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import time
from typing import Any

import pytest
from tenacity import wait_fixed
from tests.answers import META, USER
from tests.client.colours import Colour
from tests.client.loopback import Loopback, Reply, Seen, pair, refusal, reply, reset, stored, user

from redcore import (
    AuthenticationError,
    NetworkError,
    NotFoundError,
    RateLimit,
    RateLimitError,
    RedcoreAPIError,
    RedcoreError,
    Retry,
    User,
    UserRole,
)

EXPIRED = refusal(401, "TOKEN_EXPIRED")


def test_one_object(call: Colour, make: Any, server: Loopback) -> None:
    """A call sends its key and the User-Agent, and returns a typed object."""
    me = call(make().users.get_me)

    assert isinstance(me, User)
    assert (me.role, me["email"]) == (UserRole.EDITOR, "ada@example.com")
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.headers["authorization"]) == ("GET", "/v1/me", "Bearer rk_test_key")


@pytest.mark.parametrize("user_id", ["../x", "a/b", "%2e%2e", "a?b#c", "ü"])
def test_an_id_stays_in_its_segment(call: Colour, make: Any, server: Loopback, user_id: str) -> None:
    """Whatever an id holds, the path on the wire has one segment for it."""
    call(make().users.get, user_id)

    assert server.seen[0].path.startswith("/v1/users/")
    assert server.seen[0].path.count("/") == 3
    assert "?" not in server.seen[0].path


def test_a_create(call: Colour, make: Any, server: Loopback) -> None:
    """A body arrives as JSON, with an Idempotency-Key."""
    server.script(Reply(201, json.dumps({"data": dict(USER)}).encode()))

    call(make().users.create, email="ada@example.com", name="Ada Lovelace")

    assert json.loads(server.seen[0].body) == {"email": "ada@example.com", "name": "Ada Lovelace"}
    assert server.seen[0].headers["idempotency-key"]


def test_a_delete(call: Colour, make: Any, server: Loopback) -> None:
    """204 is None."""
    server.script(Reply(204))

    assert call(make().users.delete, "usr_1") is None


def test_pagination_of_a_listing(call: Colour, make: Any, server: Loopback) -> None:
    """Pages are fetched one after the other; each item is yielded once."""

    def listing(seen: Seen) -> Reply:
        offset = int(dict(part.split("=") for part in seen.path.partition("?")[2].split("&"))["offset"])
        data = [dict(USER, id=f"usr_{n}") for n in range(offset, min(offset + 2, 5))]
        return reply({"data": data, "meta": dict(META, total=5, limit=2, offset=offset)})

    server.answer = listing

    items = call.items(make().users.list_all(page_size=2, q="a b"))

    assert [item.id for item in items] == ["usr_0", "usr_1", "usr_2", "usr_3", "usr_4"]
    assert [seen.path for seen in server.seen] == [f"/v1/users?limit=2&offset={n}&q=a+b" for n in (0, 2, 4)]


def test_three_attempts_with_retries(call: Colour, make: Any, server: Loopback, slept: list[float]) -> None:
    """Attempt 1, wait 1 s, attempt 2, wait 2 s, attempt 3, the error of the last."""
    client = make()
    server.script(refusal(503), reset, refusal(500, "INTERNAL_ERROR"))

    with pytest.raises(RedcoreAPIError) as caught:
        call(client.users.get, "usr_1")

    assert (caught.value.status_code, caught.value.code, slept) == (500, "INTERNAL_ERROR", [1.0, 2.0])
    assert len({seen.headers["x-request-id"] for seen in server.seen}) == 1


def test_a_rate_limit(call: Colour, make: Any, server: Loopback, slept: list[float]) -> None:
    """A 429 is waited for exactly as long as the server says; then the call continues."""
    client = make()
    server.script(refusal(429, retry_after="7"), user())

    call(client.users.get, "usr_1")

    assert slept == [7.0]


def test_the_rate_limit_window_is_public(call: Colour, make: Any, server: Loopback) -> None:
    """`rate_limit` is the window of the latest answer, on every client that shares it; None before the first."""
    client = make()
    ends = int(time.time()) + 30
    server.script(refusal(404, x_ratelimit_limit="60", x_ratelimit_remaining="59", x_ratelimit_reset=str(ends)), user())
    derived = client.with_options(timeout=5)

    assert client.rate_limit is None
    with pytest.raises(NotFoundError):
        call(derived.users.get, "usr_1")
    call(client.users.get, "usr_1")

    assert client.rate_limit == derived.rate_limit == RateLimit(limit=60, remaining=59, reset=ends)


def test_a_deadline_that_passes(call: Colour, make: Any, server: Loopback) -> None:
    """A server that does not answer is not retried where the wait would pass the deadline; the error says why."""

    def stall(_: socket.socket) -> None:
        server.gone.wait()

    client = make(timeout=0.2, retry=Retry(wait=wait_fixed(60)))
    server.answer = lambda _: stall

    with pytest.raises(NetworkError) as caught:
        call(client.with_options(deadline=30).users.get, "usr_1")

    attempts = [(attempt.error, attempt.stopped) for attempt in caught.value.attempts]
    assert attempts == [("RequestTimeoutError", "deadline")]


def test_a_rate_limit_without_retries(call: Colour, make: Any, server: Loopback) -> None:
    """With retries turned off the error has the wait."""
    server.script(refusal(429, retry_after="7"))

    with pytest.raises(RateLimitError) as caught:
        call(make(max_retries=0).users.get, "usr_1")

    assert caught.value.retry_after == 7.0


def test_a_refused_token_is_refreshed(call: Colour, make: Any, server: Loopback) -> None:
    """A 401 is followed by a refresh and one more attempt."""
    server.script(EXPIRED, pair(2), user())

    call(make(access_token="access-1", refresh_token="refresh-1").users.get, "usr_1")

    assert [seen.path for seen in server.seen] == ["/v1/users/usr_1", "/oauth/token", "/v1/users/usr_1"]
    assert server.seen[2].headers["authorization"] == "Bearer access-2"


def test_a_token_refused_twice(call: Colour, make: Any, server: Loopback) -> None:
    """A new token that is refused too is an error, not a loop."""
    server.script(EXPIRED, pair(2), EXPIRED)

    with pytest.raises(AuthenticationError):
        call(make(access_token="access-1", refresh_token="refresh-1").users.get, "usr_1")


def test_on_token_refreshed_is_called(call: Colour, make: Any, server: Loopback) -> None:
    """on_token_refreshed is called once for each pair."""
    pairs: list[dict[str, Any]] = []
    server.answer = lambda seen: pair(1) if seen.path == "/oauth/token" else user()
    client = make(client_id="app_1", client_secret="s", on_token_refreshed=pairs.append)

    call(client.users.get, "usr_1")
    call(client.users.get, "usr_1")

    assert [pair["refresh_token"] for pair in pairs] == ["refresh-1"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_on_token_refreshed_may_be_a_coroutine_function(portals: Any, server: Loopback, backend: str) -> None:
    """A coroutine function is awaited."""
    from tests.client.colours import Awaiting  # noqa: PLC0415 (one colour only)

    call = Awaiting(backend, portals[backend])
    pairs: list[dict[str, Any]] = []

    async def note(tokens: dict[str, Any]) -> None:
        pairs.append(tokens)

    server.answer = lambda seen: pair(1) if seen.path == "/oauth/token" else user()
    client = call.client(base_url=server.base_url, client_id="a", client_secret="s", on_token_refreshed=note)
    call(client.users.get, "usr_1")
    call.close(client)

    assert len(pairs) == 1


@pytest.mark.usefixtures("redcore_time")
@pytest.mark.parametrize("size", [3, 200_000])
def test_an_upload_is_retried_whole(call: Colour, make: Any, server: Loopback, size: int) -> None:
    """The second attempt of an upload sends the same bytes as the first."""
    client = make()
    server.script(refusal(503), stored(b"x" * size))

    call(client.files.upload, file=io.BytesIO(b"x" * size), name="ü.csv")

    first, second = (seen.body.count(b"x" * size) for seen in server.seen)
    assert (first, second) == (1, 1)
    assert server.seen[0].body == server.seen[1].body


def test_a_download(call: Colour, make: Any, server: Loopback) -> None:
    """Without a destination a download returns its bytes."""
    etag = f'"{hashlib.sha256(bytes(range(256))).hexdigest()}"'
    server.script(Reply(200, bytes(range(256)), {"Content-Type": "application/octet-stream", "ETag": etag}))

    assert call(make().files.download, "file_1") == bytes(range(256))


class TestLifetime:
    def test_a_call_after_closing(self, call: Colour, make: Any) -> None:
        """A call after closing raises an error with its request id; closing twice is fine."""
        client = make()
        call.close(client)
        call.close(client)

        with pytest.raises(RedcoreError, match="this client is closed") as caught:
            call(client.users.get, "usr_1")

        assert caught.value.request_id is not None

    def test_as_a_context_manager(self, server: Loopback, portals: Any) -> None:
        """Both clients close their connections at the end of their block."""
        from redcore import AsyncClient, Client  # noqa: PLC0415 (compared with the colours above)

        with Client(api_key="k", base_url=server.base_url) as client:
            client.users.get_me()
        assert server.ended.acquire(timeout=30)

        async def main() -> None:
            async with AsyncClient(api_key="k", base_url=server.base_url) as awaitable:
                await awaitable.users.get_me()

        for portal in portals.values():
            portal.call(main)
            assert server.ended.acquire(timeout=30)

    def test_a_derived_client_shares_connections_and_closes_none(
        self, call: Colour, make: Any, server: Loopback
    ) -> None:
        """with_options shares connections and tokens; only closing the original client closes them."""
        server.answer = lambda seen: pair(1) if seen.path == "/oauth/token" else user()
        client = make(client_id="a", client_secret="s")
        derived = client.with_options(headers={"X-Trace": "1"}, max_retries=0)

        call(client.users.get, "usr_1")
        call(derived.users.get, "usr_1")
        call.close(derived)
        call(client.users.get, "usr_1")

        assert len(server.asked("/oauth/token")) == 1
        assert [seen.headers.get("x-trace") for seen in server.asked("/v1/users/usr_1")] == [None, "1", None]
        call.close(client)
        with pytest.raises(RedcoreError, match="closed"):
            call(derived.users.get, "usr_1")

    def test_a_given_http_client_is_not_closed(self, call: Colour, make: Any) -> None:
        """The application closes the HTTP client that it passed; if it is closed, calls raise an error that says so."""
        import httpx  # noqa: PLC0415 (only brought by applications)

        brought: Any = httpx.Client() if call.name == "sync" else httpx.AsyncClient()
        first, second = make(http_client=brought), make(http_client=brought)

        call(first.users.get, "usr_1")
        call.close(first)
        assert not brought.is_closed
        call(second.users.get, "usr_1")

        call(brought.close if call.name == "sync" else brought.aclose)
        with pytest.raises(RedcoreError, match="the http_client is closed"):
            call(second.users.get, "usr_1")

    def test_the_repr_shows_no_secret(self, make: Any) -> None:
        """The repr of a client has its base URL."""
        client = make(api_key="rk_canary")

        assert repr(client) == f"{type(client).__name__}(base_url='{client._engine.base_url}')"
