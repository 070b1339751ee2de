"""Calls that the specification does not describe: where they may go, what is sent, what is returned."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.core.world import BASE_URL, World, answer, refusal, user

from redcore import UNSET, RawResponse
from redcore._base.operation import Operation
from redcore._base.response import Headers, Response
from redcore._wire.custom_request import checked_path, custom
from redcore._wire.decoding import declared
from redcore.exceptions import ArgumentError, RedcoreAPIError, ResponseError


def described(method: str = "GET", path: str = "/things", **changes: Any) -> Operation[RawResponse[Any]]:
    """A call as `client.request` describes it."""
    arguments = {"query": None, "json": UNSET, "content": None, "content_type": "text/csv", "keyed": False, **changes}
    return custom(method, path, **arguments)


class TestPath:
    @pytest.mark.parametrize("path", ["/", "/users", "/users/usr_1", "/users/", "/a%20b", "/%2525", "/a:b@c/~d;e=f"])
    def test_below_the_base(self, path: str) -> None:
        """A path is appended to base_url unchanged."""
        world = World(answer())

        world.call(described(path=path))

        assert world.requests[0].url == BASE_URL + path

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "users",
            "//evil.example",
            "///evil.example",
            "/users//x",
            "https://evil.example/v1",
            "@evil.example",
            ":80/users",
            ".evil.example/users",
            "/../oauth/token",
            "/users/..",
            "/users/./x",
            "/%2e%2e/oauth",
            "/%2E./oauth",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "\\\\evil.example",
            "/a?b=c",
            "/a#b",
            "/a b",
            "/a\nb",
            "/a\r\nHost: evil.example",
            "/ü",
            "/%zz",
            "/%",
            "/%2",
            None,
            b"/users",
        ],
    )
    def test_anywhere_else(self, path: Any) -> None:
        """Anything that could leave base_url, or is not a path, is refused."""
        with pytest.raises(ArgumentError, match="path"):
            checked_path(path)

    def test_query_names(self) -> None:
        """Any value that can be a query value can be a name, too; text that is not Unicode is an ArgumentError."""
        world = World(answer(200))

        world.call(described(query={2026: "a", "a b": "c"}))

        assert world.requests[0].url == f"{BASE_URL}/things?2026=a&a+b=c"
        with pytest.raises(ArgumentError, match="a name in the query is not valid Unicode"):
            described(query={"\ud800": 1})

    @pytest.mark.parametrize("query", ["a=b", [("a", "b")], {"a": ["b", "c"]}])
    def test_queries_of_other_types_are_refused(self, query: Any) -> None:
        """A query is a mapping, and has one value for each name."""
        with pytest.raises(ArgumentError, match="must be a"):
            World(answer()).call(described(query=query))

    def test_the_query(self) -> None:
        """Parameters are encoded; None leaves one out."""
        world = World(answer())

        world.call(described(query={"q": "a b&c", "limit": 3, "all": True, "role": None}))

        assert world.requests[0].url == f"{BASE_URL}/things?q=a+b%26c&limit=3&all=true"


class TestBody:
    def test_json(self) -> None:
        """Any JSON value can be sent, null included; UNSET sends no body."""
        world = World(answer(), answer(), answer())

        for json in ({"a": [1, None]}, [1, 2], None):
            world.call(described("POST", json=json))

        assert [request.content for request in world.requests] == [b'{"a":[1,null]}', b"[1,2]", b"null"]
        assert {request.headers["Content-Type"] for request in world.requests} == {"application/json"}

    def test_bytes(self) -> None:
        """Bytes are sent as they are, with their type."""
        world = World(answer(), answer())

        world.call(described("PUT", content=b"a,b"))
        world.call(described("POST"))

        first, second = world.requests
        assert (first.content, first.headers["Content-Type"]) == (b"a,b", "text/csv")
        assert (second.content, second.headers.get("Content-Type")) == (None, None)

    @pytest.mark.parametrize(
        "changes",
        [
            {"json": {1, 2, object()}},
            {"json": "\ud800"},
            {"json": 1, "content": b"1"},
            {"content": "text"},
            {"content": b"", "content_type": 5},
        ],
    )
    def test_bodies_that_cannot_be_sent(self, changes: dict[str, Any]) -> None:
        """Values that JSON cannot represent are refused, and so are two bodies, and text that is not encoded."""
        with pytest.raises(ArgumentError):
            described("POST", **changes)


class TestMethods:
    @pytest.mark.parametrize("method", ["get", "HEAD", "options", "PUT", "Delete", "POST"])
    def test_methods_that_are_retried(self, method: str) -> None:
        """Idempotent methods are retried; a POST carries a key that makes it idempotent."""
        world = World(refusal(503), user())

        world.call(described(method))

        assert [request.method for request in world.requests] == [method.upper()] * 2
        keys = {request.headers.get("Idempotency-Key") for request in world.requests}
        assert (None in keys, len(keys)) == (method != "POST", 1)

    def test_a_patch_is_not_retried(self) -> None:
        """A PATCH may add rather than set: without a key it is sent once."""
        world = World(refusal(503))

        with pytest.raises(RedcoreAPIError) as caught:
            world.call(described("PATCH", json={}))

        assert [attempt.stopped for attempt in caught.value.attempts] == ["not idempotent"]

    def test_a_patch_with_a_key(self) -> None:
        """A key given by the application makes it idempotent."""
        world = World(refusal(503), user())

        world.call(described("PATCH", json={}, keyed=True), idempotency_key="k")

        assert [request.headers["Idempotency-Key"] for request in world.requests] == ["k", "k"]

    @pytest.mark.parametrize("method", ["", "CONNECT", "TRACE", "GET / HTTP/1.1", "G\r\nET", "query"])
    def test_unknown_methods(self, method: str) -> None:
        """A method that no call can have is refused."""
        with pytest.raises(ArgumentError, match="method must be one of DELETE, GET"):
            described(method)


class TestAnswer:
    @pytest.mark.parametrize(
        ("media", "content", "value"),
        [
            ("application/json", b'{"data":1}', {"data": 1}),
            ("Application/JSON; charset=utf-8", b"[1]", [1]),
            ("application/problem+json", b"1", 1),
            ("text/csv", b"a,b", b"a,b"),
            ("", b"a,b", b"a,b"),
            ("application/json", b"", None),
        ],
    )
    def test_the_value_of_an_answer(self, media: str, content: bytes, value: Any) -> None:
        """JSON is decoded and nothing is unwrapped; other bytes stay bytes."""
        assert declared(Response(200, Headers({"Content-Type": media}), content)) == value

    @pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
    def test_invalid_json(self, content: bytes) -> None:
        """A body declared as JSON that cannot be parsed is a ResponseError."""
        with pytest.raises(ResponseError, match="not JSON"):
            declared(Response(200, Headers({"Content-Type": "application/json"}), content))

    def test_the_raw_response_of_a_call(self) -> None:
        """Status, headers, request id and body come with the value."""
        reply = answer(201, {"data": 1}, content_type="application/json", x_request_id="req_9")
        world = World(reply)

        given = world.call(described())

        assert given == RawResponse(
            value={"data": 1}, status_code=201, headers=reply.headers, content=msgspec.json.encode({"data": 1})
        )
        assert given.request_id == "req_9"
        assert RawResponse(value=1, status_code=200, headers=Headers({}), content=b"").request_id is None
        assert "data" not in repr(given).replace("value={'data': 1}", "")
