"""Raw answers, and calls that the specification does not describe, over a real connection in all colours."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import Any

import pytest
from tests.client.colours import Colour
from tests.client.loopback import Loopback, Reply, pair, refusal, reply, user

from redcore import ArgumentError, NotFoundError, RawResponse, RedcoreAPIError, User


def test_a_raw_answer(call: Colour, make: Any, server: Loopback) -> None:
    """The value is the typed one; status, headers, request id and body are beside it."""
    answer = user()
    server.script(Reply(answer.status, answer.body, {"X-Request-ID": "req_7", "ETag": "e"}))

    given = call(make().raw.users.get, "usr_1")

    assert isinstance(given, RawResponse)
    assert isinstance(given.value, User)
    assert (given.status_code, given.headers["etag"], given.request_id) == (200, "e", "req_7")
    assert json.loads(given.content)["data"]["id"] == given.value.id == "usr_1"
    assert pickle.loads(pickle.dumps(given)) == given  # noqa: S301 (our own bytes)


def test_raw_errors_are_the_usual_ones(call: Colour, make: Any, server: Loopback) -> None:
    """A raw method raises what its plain one raises; options apply to the call."""
    server.script(refusal(404, "RESOURCE_NOT_FOUND"))

    with pytest.raises(NotFoundError):
        call(make().raw.users.get, "usr_1", headers={"X-Trace": "7"})

    assert server.seen[0].headers["x-trace"] == "7"


def test_a_raw_delete(call: Colour, make: Any, server: Loopback) -> None:
    """A method without a result has an answer all the same."""
    server.script(Reply(204))

    given = call(make().raw.users.delete, "usr_1")

    assert (given.value, given.status_code, given.content) == (None, 204, b"")


def test_raw_is_loaded_when_it_is_used() -> None:
    """A program that reads no raw answers does not load the code for them."""
    probe = "import sys, redcore; redcore.Client(api_key='k'); print('redcore._resources.generated_raw' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True).stdout.strip() == b"False"  # noqa: S603


def test_a_custom_request(call: Colour, make: Any, server: Loopback, slept: list[float]) -> None:
    """An endpoint that the SDK does not know is called as any other: token, id, retries, JSON both ways."""
    client = make(client_id="a", client_secret="s")
    server.script(pair(1), refusal(503), reply({"data": {"id": "thg_1"}}, 201))

    given = call(client.request, "post", "/things", query={"dry": True}, json={"name": "ü"}, headers={"X-Trace": "7"})

    assert (given.value, given.status_code, slept) == ({"data": {"id": "thg_1"}}, 201, [1.0])
    first, second = server.asked("/v1/things?dry=true")
    assert (first.method, json.loads(first.body)) == ("POST", {"name": "ü"})
    assert first.headers["authorization"] == "Bearer access-1"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["x-trace"] == "7"


def test_a_head_request(call: Colour, make: Any, server: Loopback) -> None:
    """An answer to HEAD has headers and no body; the connection is used again."""

    def head(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Type: application/json\r\n\r\n")

    server.script(head)

    given = call(make().request, "HEAD", "/files/file_1")

    assert (given.value, given.headers["content-length"]) == (None, "7")


@pytest.mark.usefixtures("redcore_time")
def test_a_patch_with_a_key_is_retried(call: Colour, make: Any, server: Loopback) -> None:
    """An Idempotency-Key makes a PATCH idempotent."""
    client = make()
    server.script(refusal(503), reply({}))

    call(client.request, "PATCH", "/things/1", json={"n": 1}, idempotency_key="k-1")

    assert [seen.headers["idempotency-key"] for seen in server.seen] == ["k-1", "k-1"]


@pytest.mark.parametrize("path", ["//evil.example/x", "https://evil.example/", "/../oauth/token", "users"])
def test_a_request_stays_below_the_base(call: Colour, make: Any, server: Loopback, path: str) -> None:
    """Nothing is sent anywhere else, least of all the token."""
    with pytest.raises(ArgumentError, match="path"):
        call(make().request, "GET", path)

    assert server.seen == []


def test_a_redirect_is_not_followed(call: Colour, make: Any, server: Loopback) -> None:
    """The token is not sent to the target of a redirect."""
    server.script(Reply(307, b"", {"Location": "http://127.0.0.1:9/evil"}))

    with pytest.raises(RedcoreAPIError) as caught:
        call(make().request, "GET", "/things")

    assert (caught.value.status_code, len(server.seen)) == (307, 1)
