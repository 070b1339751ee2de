"""Options of one call, in all colours."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.answers import META, USER
from tests.client.colours import Colour
from tests.client.loopback import Loopback, Seen, pair, refusal, reply, user

from redcore import ArgumentError, AuthenticationError, ConfigurationError, RedcoreAPIError


def test_headers(call: Colour, make: Any, server: Loopback) -> None:
    """Headers of one call join those of the client, and the next call does not have them."""
    client = make().with_options(headers={"X-App": "1"})

    call(client.users.get, "usr_1", headers={"X-Trace": "7", "X-Request-ID": "mine"})
    call(client.users.get, "usr_1")

    first, second = (seen.headers for seen in server.seen)
    assert (first["x-app"], first["x-trace"], first["x-request-id"]) == ("1", "7", "mine")
    assert (second["x-app"], second.get("x-trace")) == ("1", None)


def test_max_retries(call: Colour, make: Any, server: Loopback, slept: list[float]) -> None:
    """One call may have fewer attempts than the others, or more."""
    client = make()
    server.answer = lambda _: refusal(503)

    for max_retries in (0, 3):
        with pytest.raises(RedcoreAPIError):
            call(client.users.get, "usr_1", max_retries=max_retries)

    assert slept == [1.0, 2.0, 4.0]
    assert len(server.seen) == 1 + 4


def test_timeout_and_deadline(call: Colour, make: Any, server: Loopback) -> None:
    """The tighter of the two bounds what one call may wait for; the client keeps its own."""
    client = make()
    server.script(refusal(429, retry_after="30"), user())

    with pytest.raises(RedcoreAPIError) as caught:
        call(client.users.get, "usr_1", timeout=5, deadline=10)

    assert caught.value.attempts[0].stopped == "deadline"
    assert (client._options.timeout_s, client._options.deadline_s) == (30.0, None)


def test_a_key(call: Colour, make: Any, server: Loopback) -> None:
    """A create may bring its own Idempotency-Key."""
    call(make().users.create, email="a@b.example", name="A", idempotency_key="order-7")

    assert server.seen[0].headers["idempotency-key"] == "order-7"


def test_pacing_off_for_one_call(call: Colour, make: Any, server: Loopback, slept: list[float]) -> None:
    """One call may be sent although the window is used up."""
    client = make()
    ends = str(int(time.time()) + 300)
    server.script(
        refusal(404, x_ratelimit_limit="9", x_ratelimit_remaining="0", x_ratelimit_reset=ends),
        user(),
    )
    with pytest.raises(RedcoreAPIError):
        call(client.users.get, "usr_1")

    call(client.users.get, "usr_1", pacing=False)

    assert slept == []


def test_pagination_of_a_listing(call: Colour, make: Any, server: Loopback) -> None:
    """A walk makes each of its calls with the options."""

    def listing(seen: Seen) -> Any:
        offset = int(seen.path.rpartition("offset=")[2])
        return reply({"data": [dict(USER, id=f"usr_{offset}")], "meta": dict(META, total=2, limit=1, offset=offset)})

    server.answer = listing

    items = call.items(make().users.list_all(page_size=1, headers={"X-Trace": "7"}))

    assert [item.id for item in items] == ["usr_0", "usr_1"]
    assert [seen.headers["x-trace"] for seen in server.seen] == ["7", "7"]


def test_log_out(call: Colour, make: Any, server: Loopback) -> None:
    """The end of a session takes options too."""
    server.script(pair(1), user(), reply({}))
    client = make(client_id="a", client_secret="s")
    call(client.users.get_me)

    call(client.auth.log_out, headers={"X-Trace": "7"})

    assert server.asked("/oauth/revoke")[0].headers["x-trace"] == "7"


def test_an_oauth_endpoint(call: Colour, make: Any, server: Loopback) -> None:
    """Calls to the OAuth endpoints take options as all others do."""
    server.script(refusal(401, "invalid_client"))

    with pytest.raises(AuthenticationError):
        call(make(client_id="a", client_secret="s").auth.introspect, token="t", headers={"X-Trace": "7"})

    assert server.seen[0].headers["x-trace"] == "7"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": 0}, ConfigurationError),
        ({"timeout": None}, ConfigurationError),
        ({"headers": {"Authorization": "canary"}}, ArgumentError),
        ({"idempotency_key": "a b"}, ArgumentError),
        ({"time_out": 3}, TypeError),
        ({"hooks": None}, TypeError),
    ],
)
def test_invalid_options(
    call: Colour, make: Any, server: Loopback, options: dict[str, Any], error: type[Exception]
) -> None:
    """Options are checked as those of with_options are, before anything is sent; the error names the option."""
    with pytest.raises(error, match="|".join([*options, "Authorization"])) as caught:
        call(make().users.get, "usr_1", **options)

    assert "canary" not in str(caught.value)
    assert server.seen == []
