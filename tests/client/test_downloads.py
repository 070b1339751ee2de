"""Downloads over a real connection, in all colours."""

from __future__ import annotations

import gzip
import io
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.client.colours import COLOURS, TRANSPORTS, Colour, colours_over, named
from tests.client.loopback import Loopback, Reply, refusal, stored
from tests.client.stored_file import CONTENT, ETAG, breaking, broken, part_of, ranges, rest, whole

from redcore import ArgumentError, ChecksumError, NetworkError, NotFoundError, Progress, ResponseError

colour = colours_over(TRANSPORTS)


def test_a_download_to_memory(call: Colour, make: Any, server: Loopback) -> None:
    """Without a destination the bytes are returned; no encoding is requested."""
    server.script(whole())

    assert call(make().files.download, "file_1") == CONTENT
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_a_download_to_a_path(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """The file appears when it is complete; the partial file is gone."""
    reported: list[Progress] = []
    server.script(whole())

    assert call(make().files.download, "file_1", to=tmp_path / "a.bin", on_progress=reported.append) is None

    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    assert (reported[-1].done, reported[-1].total) == (300_000, 300_000)
    assert [progress.done for progress in reported] == sorted(progress.done for progress in reported)


def test_a_download_to_a_file(call: Colour, make: Any, server: Loopback) -> None:
    """A file that the application opened is written and stays open."""
    server.script(whole())
    file = io.BytesIO()

    call(make().files.download, "file_1", to=file)

    assert file.getvalue() == CONTENT


@pytest.mark.parametrize("to", ["memory", "path", "file"])
def test_download_resumes_by_range_after_a_reset(
    call: Colour, make: Any, server: Loopback, tmp_path: Path, *, to: str, slept: list[float]
) -> None:
    """The same call fetches the rest, of the same version, with the same request id."""
    client = make()
    breaking(server, 100_000, 50_000)
    file = io.BytesIO()
    where: Any = {"memory": None, "path": str(tmp_path / "a"), "file": file}[to]

    got = call(client.files.download, "file_1", to=where)

    assert (tmp_path / "a").read_bytes() if to == "path" else (got or file.getvalue()) == CONTENT
    assert all(same == (ETAG if part else None) for part, same in map(ranges, server.seen))
    assert slept == [1.0, 2.0]
    assert len({seen.headers["x-request-id"] for seen in server.seen}) == 1


@pytest.mark.usefixtures("redcore_time")
@pytest.mark.parametrize("colour", COLOURS, ids=named)
def test_download_resumes_to_the_byte(call: Colour, make: Any, server: Loopback) -> None:
    """Each request asks for exactly the missing bytes."""
    client = make()
    breaking(server, 100_000, 50_000)

    call(client.files.download, "file_1")

    assert [ranges(seen) for seen in server.seen] == [
        (None, None),
        ("bytes=100000-", ETAG),
        ("bytes=150000-", ETAG),
    ]


@pytest.mark.usefixtures("redcore_time")
def test_a_download_that_breaks_too_often_can_be_resumed(
    call: Colour, make: Any, server: Loopback, tmp_path: Path
) -> None:
    """The error is raised; the partial file stays, and another download resumes it."""
    client = make(max_retries=1)
    breaking(server, 100_000, 50_000)

    with pytest.raises(NetworkError) as caught:
        call(client.files.download, "file_1", to=tmp_path / "a")

    assert caught.value.request_id == server.seen[0].headers["x-request-id"]
    left = part_of(tmp_path / "a").read_bytes()
    assert CONTENT.startswith(left)  # aiohttp may yield nothing of what arrived before the end
    call(client.files.download, "file_1", to=tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert ranges(server.seen[-1]) == (f"bytes={len(left)}-" if left else None, None)
    assert not part_of(tmp_path / "a").exists()


@pytest.mark.usefixtures("redcore_time")
def test_download_resumes_without_ranges(call: Colour, make: Any, server: Loopback) -> None:
    """Bytes that are sent again are skipped."""
    client = make()
    server.script(broken(whole(), 100_000), whole())

    assert call(client.files.download, "file_1") == CONTENT


def test_two_downloads_to_one_path(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """The second one, which finds the partial file in use, has its own; the path gets a whole file."""
    path = tmp_path / "a"
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: socket.socket) -> None:
        encoded = whole().encode()
        connection.sendall(encoded[:100_000])
        begun.set()
        go_on.wait(60.0)
        connection.sendall(encoded[100_000:])

    server.script(slow, whole())
    download = make().files.download
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(call, download, "file_1", to=path)
        begun.wait(60.0)

        call(download, "file_1", to=path)
        assert path.read_bytes() == CONTENT

        go_on.set()
        first.result()
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("body", [b"", refusal(416, "RANGE_NOT_SATISFIABLE").body])
def test_a_complete_part_is_resumed_with_416(
    call: Colour, make: Any, server: Loopback, tmp_path: Path, body: bytes
) -> None:
    """416 means that nothing is missing, with an envelope or bare: the partial file is checked and kept."""
    part_of(tmp_path / "a").write_bytes(CONTENT)
    server.script(Reply(416, body, headers={"ETag": ETAG, "Content-Range": "bytes */300000"}))

    call(make().files.download, "file_1", to=tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"x" * 1000, CONTENT + b"x"])
def test_a_part_that_does_not_match(call: Colour, make: Any, server: Loopback, tmp_path: Path, left: bytes) -> None:
    """The download starts again, once."""
    part_of(tmp_path / "a").write_bytes(left)
    too_long = Reply(416, headers={"ETag": ETAG, "Content-Range": "bytes */300000"})
    server.script(rest(1000) if len(left) == 1000 else too_long, whole())

    call(make().files.download, "file_1", to=tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [ranges(seen)[0] for seen in server.seen] == [f"bytes={len(left)}-", None]


def test_without_resuming(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """A partial file of an earlier download is not used."""
    part_of(tmp_path / "a").write_bytes(CONTENT[:1000])
    server.script(whole())

    call(make().files.download, "file_1", to=tmp_path / "a", resume=False)

    assert ranges(server.seen[0]) == (None, None)


def test_a_wrong_checksum_of_a_download(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """No file is left at the path, and an existing one stays."""
    (tmp_path / "a").write_bytes(b"before")
    server.script(whole(b"x" + CONTENT[1:]))

    with pytest.raises(ChecksumError, match="download it again") as caught:
        call(make().files.download, "file_1", to=tmp_path / "a")

    assert caught.value.expected == ETAG.strip('"')
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"before"


def test_a_checksum_from_the_description(call: Colour, make: Any, server: Loopback) -> None:
    """If the ETag has another form, the description of the file is fetched."""
    server.script(whole(ETag='"v1"'), Reply(200, stored(CONTENT).body))

    assert call(make().files.download, "file_1") == CONTENT
    assert server.seen[1].path == "/v1/files/file_1"


@pytest.mark.usefixtures("redcore_time")
def test_a_file_that_changes_while_it_is_resumed(call: Colour, make: Any, server: Loopback) -> None:
    """Parts of two versions are never joined."""
    client = make()
    server.script(broken(whole(), 100_000), whole(ETag='"other"'))

    with pytest.raises(ResponseError, match="the file changed"):
        call(client.files.download, "file_1")


@pytest.mark.usefixtures("redcore_time")
@pytest.mark.parametrize("version", [{"ETag": f"W/{ETAG}"}, {}], ids=["weakened", "none"])
def test_a_rest_whose_version_was_lost_on_the_way(
    call: Colour, make: Any, server: Loopback, version: dict[str, str]
) -> None:
    """Intermediaries weaken ETags, and drop them; the checksum decides."""
    client = make()
    part = {"Content-Range": f"bytes 100000-{len(CONTENT) - 1}/{len(CONTENT)}"}
    server.script(broken(whole(), 100_000), Reply(206, CONTENT[100_000:], {**part, **version}))

    assert call(client.files.download, "file_1") == CONTENT


@pytest.mark.usefixtures("redcore_time")
@pytest.mark.parametrize(
    "wrong", [rest(99_999), Reply(206, CONTENT[100_000:], {"ETag": ETAG}), rest(100_000, Content_Encoding="gzip")]
)
def test_an_answer_with_the_wrong_range(call: Colour, make: Any, server: Loopback, wrong: Reply) -> None:
    """It is refused, not appended."""
    client = make()
    server.script(broken(whole(), 100_000), wrong)

    with pytest.raises(ResponseError):
        call(client.files.download, "file_1")


def test_no_such_file(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """A refusal is its typed error, and leaves no partial file."""
    server.script(Reply(404, gzip.compress(refusal(404, "RESOURCE_NOT_FOUND").body), {"Content-Encoding": "gzip"}))

    with pytest.raises(NotFoundError) as caught:
        call(make().files.download, "file_1", to=tmp_path / "a")

    assert (caught.value.code, list(tmp_path.iterdir())) == ("RESOURCE_NOT_FOUND", [])


def test_a_download_too_large_for_memory(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size of returned bytes is limited; the error says what to do."""
    monkeypatch.setattr("redcore._transfer.transfers.MAX_HELD_BYTES", 1000)
    server.script(whole())

    with pytest.raises(ResponseError, match="larger than 1000 bytes; download it to a path"):
        call(make().files.download, "file_1")


def test_a_path_that_cannot_be_written(call: Colour, make: Any, server: Loopback, tmp_path: Path) -> None:
    """An error of the SDK is raised."""
    server.script(whole())

    with pytest.raises(ArgumentError, match=r"/none/a\S* cannot be written: No such file"):
        call(make().files.download, "file_1", to=tmp_path / "none" / "a")
