"""Uploads that are retried: whole from where they began, or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from tests.client.colours import Colour
from tests.client.loopback import Loopback, Raw, Reply, pair, refusal, reset, stored

from redcore import AuthenticationError, NetworkError, RedcoreError

CONTENT = b"0123456789" * 1000
STORED = stored(CONTENT)
EXPIRED = refusal(401, "TOKEN_EXPIRED")


class Pipe(io.BytesIO):
    """A file that cannot be rewound."""

    def seekable(self) -> bool:
        return False


def pieces() -> Iterator[bytes]:
    yield CONTENT[:5000]
    yield CONTENT[5000:]


def uploads(server: Loopback) -> list[int]:
    """How many copies of the content each upload sent."""
    return [seen.body.count(CONTENT) for seen in server.asked("/v1/files")]


@pytest.mark.parametrize("made", [pieces, lambda: Pipe(CONTENT)], ids=["generator", "pipe"])
@pytest.mark.parametrize("failure", [(refusal(503), "ServerError"), (reset, "NetworkError")], ids=["503", "reset"])
def test_an_upload_that_cannot_be_reread_is_not_retried(
    call: Colour, make: Any, server: Loopback, slept: list[float], *, made: Any, failure: tuple[Reply | Raw, str]
) -> None:
    """A body that can be read only once is sent once: the error of that attempt is raised, and says why."""
    client = make()
    server.script(failure[0])

    with pytest.raises(RedcoreError) as caught:
        call(client.files.upload, file=made())

    (attempt,) = caught.value.attempts
    assert (attempt.error, attempt.stopped, slept) == (failure[1], "body cannot be sent again", [])
    assert uploads(server) == [1]


@pytest.mark.parametrize("made", [pieces, lambda: Pipe(CONTENT)], ids=["generator", "pipe"])
def test_an_upload_that_cannot_be_reread_is_not_refreshed_for(
    call: Colour, make: Any, server: Loopback, made: Any
) -> None:
    """It is not sent empty with a new token: the refusal is raised, and no token is requested in vain."""
    client = make(access_token="access-1", refresh_token="refresh-1")
    server.script(EXPIRED)

    with pytest.raises(AuthenticationError):
        call(client.files.upload, file=made())

    assert [seen.path for seen in server.seen] == ["/v1/files"]


@pytest.mark.usefixtures("redcore_time")
@pytest.mark.parametrize("first", [refusal(503), reset])
def test_a_retried_upload_starts_where_it_stood(call: Colour, make: Any, server: Loopback, first: Reply | Raw) -> None:
    """A file is sent from its position when the call began, each time; what was read before is not sent."""
    client = make()
    server.script(first, STORED)
    file = io.BytesIO(b"a header of the application" + CONTENT)
    file.seek(-len(CONTENT), io.SEEK_END)

    call(client.files.upload, file=file)

    assert uploads(server) == [1, 1]
    assert all(b"a header" not in seen.body for seen in server.seen)


def test_an_upload_is_rewound_after_a_refresh(call: Colour, make: Any, server: Loopback) -> None:
    """With the new token the whole file is sent again."""
    server.script(EXPIRED, pair(2), STORED)
    file = io.BytesIO(b"skipped" + CONTENT)
    file.seek(len(b"skipped"))

    call(make(access_token="access-1", refresh_token="refresh-1").files.upload, file=file)

    assert uploads(server) == [1, 1]
    assert all(b"skipped" not in seen.body for seen in server.seen)
    assert server.seen[2].headers["authorization"] == "Bearer access-2"


@pytest.mark.parametrize("made", [pieces, lambda: Pipe(CONTENT)], ids=["generator", "pipe"])
def test_a_one_shot_body_is_retried_while_nothing_of_it_was_read(
    call: Colour, make: Any, server: Loopback, made: Any, slept: list[float]
) -> None:
    """The token endpoint answers 503 before the upload begins: the body is unread, and the call is retried."""
    server.script(refusal(503), pair(2), STORED)
    client = make(client_id="app_1", client_secret="secret-of-the-app")

    call(client.files.upload, file=made())

    assert (uploads(server), len(slept)) == ([1], 1)


def test_a_one_shot_body_is_retried_after_a_connect_error(
    call: Colour, make: Any, server: Loopback, slept: list[float]
) -> None:
    """No connection was made, so not a byte was read: the next attempt sends all of it."""
    client = make(base_url="http://127.0.0.1:9/v1")
    read: list[bytes] = []

    def noted() -> Iterator[bytes]:
        for piece in pieces():
            read.append(piece)
            yield piece

    with pytest.raises(NetworkError) as caught:
        call(client.files.upload, file=noted())

    assert ([attempt.stopped for attempt in caught.value.attempts], len(slept)) == ([None, None, "retries used up"], 2)
    assert read == []
