"""Answers to a GET of stored bytes (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

import pytest

from redcore_server.http.ranges import Selection, select

ETAG = '"abc"'


def selected(size: int = 10, /, **headers: str) -> Selection:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return select(named, etag=ETAG, size=size)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-3", 0, 4),
        ("bytes=4-", 4, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-30", 0, 10),
        ("bytes=9-9", 9, 10),
        ("bytes=5-99", 5, 10),
        (f"bytes=5-{10**30}", 5, 10),
        ("Bytes=0-3", 0, 4),
        ("BYTES=-3", 7, 10),
        ("bytes=,0-3 ,", 0, 4),
    ],
)
def test_a_range_is_answered_with_its_part(asked: str, start: int, stop: int) -> None:
    """206 with the existing bytes of it."""
    part = selected(range=asked)

    assert (part.status, part.start, part.stop) == (206, start, stop)
    assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/10"
    assert part.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "asked",
    ["", "bytes=", "bytes=-", "bytes=3-1", "bytes=a-b", "bytes=0-1,4-5", "items=0-3", "bytes=0-3x", "bytes=+1-2"],
)
def test_an_invalid_or_multiple_range_is_ignored(asked: str) -> None:
    """The whole is sent, as section 14.2 says."""
    whole = selected(range=asked)

    assert (whole.status, whole.start, whole.stop, whole.headers["Content-Length"]) == (200, 0, 10, "10")


@pytest.mark.parametrize(
    ("size", "asked"), [(10, "bytes=10-"), (10, "bytes=10-20"), (0, "bytes=0-"), (0, "bytes=-5"), (10, "bytes=-0")]
)
def test_a_range_behind_the_end_cannot_be_satisfied(size: int, asked: str) -> None:
    """416 with the actual size."""
    nothing = selected(size, range=asked)

    assert (nothing.status, nothing.headers["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"abc"', 304), ('W/"abc"', 304), ('"x", "abc"', 304), ("*", 304), ('"abcd"', 200), ('"x"', 200), ("abc", 200)],
)
def test_a_matching_if_none_match_is_a_304(condition: str, status: int) -> None:
    """`If-None-Match` compares weakly, also in lists; 304 comes before any range."""
    assert selected(if_none_match=condition, range="").status == status
    assert selected(if_none_match=condition, range="bytes=0-1").status == (304 if status == 304 else 206)


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"abc"', 206), ('"x", "abc"', 206), ("*", 206), ('W/"abc"', 412), ('"x"', 412), ("", 412)],
)
def test_a_failed_if_match_is_a_412(condition: str, status: int) -> None:
    """`If-Match` compares strongly, and comes before `If-None-Match` and any range."""
    assert selected(if_match=condition, range="bytes=0-1").status == status
    assert selected(if_match='"x"', if_none_match='"abc"').status == 412


@pytest.mark.parametrize(
    ("validator", "status"), [('"abc"', 206), ('"old"', 200), ('W/"abc"', 200), ("Mon, 23 Nov 2026 00:00:00 GMT", 200)]
)
def test_a_failed_if_range_sends_the_whole(validator: str, status: int) -> None:
    """`If-Range` compares strongly."""
    assert selected(range="bytes=2-", if_range=validator).status == status
