"""A download whose connections break: how often it resumes, and what its error reports."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.world import World

from redcore._base.response import Headers
from redcore._call.engine import CallOptions
from redcore._transfer.download import Download
from redcore._wire.progress import Meter
from redcore.exceptions import NetworkError, ResponseError
from redcore.options import Retry


class Broken:
    """A body that is arriving, whose connection breaks."""

    def __init__(self, *pieces: bytes, status: int = 200, **headers: str) -> None:
        self.status_code = status
        self.headers = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        self._pieces = list(pieces)

    def read(self) -> bytes:
        """Return the next piece, or raise the reset."""
        if not self._pieces:
            raise NetworkError("the connection was reset")
        return self._pieces.pop(0)

    def close(self) -> None:
        """Do nothing."""


def fetched(world: World, **options: Any) -> bytes:
    """Return the bytes of a whole download."""
    download = Download(world.engine, CallOptions(**options), "file_1", Meter())
    content = b""
    while piece := world.run(download.read()):
        content += piece
    return content


def test_download_resumes_by_range_after_a_reset() -> None:
    """The rest is requested from where the first connection broke."""
    rest = Broken(b"c", b"", status=206, content_range="bytes 2-2/3")
    world = World(Broken(b"ab", content_length="3"), rest)

    assert fetched(world) == b"abc"
    assert world.slept == [1.0]
    assert world.streams[1].request.headers["Range"] == "bytes=2-"


@pytest.mark.parametrize("content_range", ["bytes 2-2/*", "Bytes 2-2/3"])
def test_a_part_of_unknown_total_size_is_accepted(content_range: str) -> None:
    """RFC 9110 section 14.4; range units are case-insensitive (section 14.1)."""
    world = World(Broken(b"ab", content_length="3"), Broken(b"c", b"", status=206, content_range=content_range))

    assert fetched(world) == b"abc"


@pytest.mark.parametrize("content_range", ["bytes 2-2/{}", "bytes {}-2/3", "bytes 2-{}/3", "bytes */{}"])
def test_an_absurd_number_in_content_range(content_range: str) -> None:
    """Python converts no number of more than 4,300 digits."""
    huge = Broken(b"c", status=206, content_range=content_range.format("9" * 5000))

    with pytest.raises(ResponseError, match="another part"):
        fetched(World(Broken(b"ab", content_length="3"), huge))


def test_a_weak_etag_is_not_sent_as_if_range() -> None:
    """RFC 9110 section 13.1.5: `If-Range` takes strong ones only; the answers are compared all the same."""
    tag = 'W/"1"'
    rest = Broken(b"c", b"", status=206, content_range="bytes 2-2/3", etag=tag)
    world = World(Broken(b"ab", content_length="3", etag=tag), rest)

    assert fetched(world) == b"abc"
    assert "If-Range" not in world.streams[1].request.headers


def test_a_download_that_is_given_up_says_why() -> None:
    """The error lists every break, each with its wait, and what stopped the last."""
    broken = [Broken(b"a", content_length="9"), *(Broken(status=206, content_range="bytes 1-8/9") for _ in range(2))]
    world = World(*broken)

    with pytest.raises(NetworkError) as caught:
        fetched(world, retry=Retry(max_retries=2))

    assert [attempt.wait_s for attempt in caught.value.attempts] == [1.0, 2.0, None]
    assert caught.value.attempts[-1].stopped == "retries used up"


def test_a_download_ends_with_its_deadline() -> None:
    """A wait that would pass the deadline is not started, and the error says so."""
    world = World(Broken(b"a", content_length="9"))

    with pytest.raises(NetworkError) as caught:
        fetched(world, deadline_s=0.5)

    assert (world.slept, caught.value.attempts[0].stopped) == ([], "deadline")
