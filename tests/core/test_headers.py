"""Which headers an application may add, and which of them are shown."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from redcore._call.headers import checked_headers, shown_headers
from redcore.exceptions import ArgumentError

CANARY = "s3cret-canary"


@pytest.mark.parametrize("name", ["Authorization", "idempotency-key", "Content-Type", "Host", "content-length"])
def test_headers_of_the_client(name: str) -> None:
    """A header that the client sets itself cannot be set by hand; the value is not repeated."""
    with pytest.raises(ArgumentError, match=name) as caught:
        checked_headers({name: CANARY})

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("headers", [{"X A": "1"}, {"": "1"}, {"X:": "1"}, {"X-A": f"{CANARY}\r\nX-B: 1"}, {"é": "1"}])
def test_headers_that_cannot_be_sent(headers: dict[str, str]) -> None:
    """Names and values follow RFC 9110; no line can be injected."""
    with pytest.raises(ArgumentError) as caught:
        checked_headers(headers)

    assert CANARY not in str(caught.value)


def test_numbers_are_sent_as_text() -> None:
    """A value that is not a string is sent as its text."""
    assert dict(checked_headers({"X-A": 5})) == {"x-a": "5"}  # type: ignore[dict-item]


class Team(str, enum.Enum):  # noqa: UP042 (it is what applications have)
    """An enum of an application, whose members format as `Team.A`."""

    A = "team-a"
    HEADER = "X-Team"


def test_strings_of_other_classes_are_what_they_hold() -> None:
    """They may format as something else."""
    assert dict(checked_headers({Team.HEADER: Team.A})) == {"x-team": "team-a"}


@pytest.mark.parametrize(
    "headers", [[("X-A", "1")], "X-A: 1", {5: "1"}, {"X-A": None}, {"X-A": CANARY.encode()}, {"X-A": [CANARY]}]
)
def test_headers_of_other_types_are_refused(headers: Any) -> None:
    """The message names the header or says what is expected; it never has the value."""
    with pytest.raises(ArgumentError, match=r"must be a|not a header name") as caught:
        checked_headers(headers)

    assert CANARY not in str(caught.value)


def test_only_safe_headers_are_shown() -> None:
    """Only the headers that cannot hold a secret are shown with their values."""
    sent = {"Authorization": CANARY, "x-api-key": CANARY, "Cookie": CANARY, "Accept": "a", "X-Request-ID": "1"}

    assert shown_headers(sent) == {
        "Authorization": "[hidden]",
        "x-api-key": "[hidden]",
        "Cookie": "[hidden]",
        "Accept": "a",
        "X-Request-ID": "1",
    }
