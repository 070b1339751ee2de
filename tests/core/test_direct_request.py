"""What the direct transport sends, to the byte: nothing that a server could take for another request."""

from __future__ import annotations

from typing import Any

import pytest

from redcore._transport.address import address
from redcore._transport.direct_request import Framing, head
from redcore._wire.encoding import Request
from redcore.exceptions import ArgumentError

WHERE = address("http://api.example.com")


def request(**changes: Any) -> Request:
    plain: dict[str, Any] = {
        "operation": "users_get_me",
        "method": "GET",
        "url": "http://api.example.com/",
        "headers": {},
    }
    return Request(**{**plain, **changes})


def test_the_head_of_a_request() -> None:
    """One line each, and the length of a body in memory."""
    sent = head(request(method="POST", content=b"{}", headers={"X-Trace": "7"}), WHERE, "/v1/users", "gzip")

    assert sent == (
        b"POST /v1/users HTTP/1.1\r\nHost: api.example.com\r\nAccept-Encoding: gzip\r\n"
        b"X-Trace: 7\r\nContent-Length: 2\r\n\r\n"
    )


@pytest.mark.parametrize("target", ["/v1/me HTTP/1.1\r\nX: y", "/v1/a b", "/v1/ü", "/v1/\0"])
def test_a_target_that_would_be_more_than_one(target: str) -> None:
    """It is refused, and not sent."""
    with pytest.raises(ArgumentError, match="not a valid URL"):
        head(request(), WHERE, target, "gzip")


@pytest.mark.parametrize("value", ["secret-word\r\nX: y", "secret-word\n", "secret-word ü", "secret-word\0"])
def test_a_header_that_would_be_more_than_one(value: str) -> None:
    """It is refused, and not quoted, as it may be secret."""
    with pytest.raises(ArgumentError, match="header") as caught:
        head(request(headers={"Authorization": value}), WHERE, "/v1/me", "gzip")

    assert "secret-word" not in caught.value.message


class TestABodyOfKnownLength:
    framing: Framing

    @pytest.fixture(autouse=True)
    def of_four_bytes(self) -> None:
        self.framing = Framing(request(headers={"Content-Length": "4"}))

    def test_it_is_sent_as_it_is(self) -> None:
        """Without framing."""
        assert [self.framing.frame(b"ab"), self.framing.frame(b"cd"), self.framing.end()] == [b"ab", b"cd", b""]

    def test_more_than_that_is_refused(self) -> None:
        """A server would take the rest for another request."""
        self.framing.frame(b"abc")

        with pytest.raises(ArgumentError, match="became longer while it was sent"):
            self.framing.frame(b"de")

    def test_less_than_that_is_refused(self) -> None:
        """A server would take what is sent next for the rest."""
        self.framing.frame(b"abc")

        with pytest.raises(ArgumentError, match="became 1 bytes shorter while it was sent"):
            self.framing.end()


def test_a_body_of_unknown_length_is_sent_in_chunks() -> None:
    """An empty piece is skipped, as it would end the body."""
    framing = Framing(request(headers={"Transfer-Encoding": "chunked"}))

    assert [framing.frame(b"ab"), framing.frame(b""), framing.end()] == [b"2\r\nab\r\n", b"", b"0\r\n\r\n"]
