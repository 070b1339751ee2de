"""Destinations of a download that are not plain files: pipes, devices, descriptors, and objects with `write`."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.datastructures import UploadFile
from tests.client.colours import Colour
from tests.client.file_kinds import AWAITED, CONTENT, POSIX, WHOLE, open_pipe
from tests.client.loopback import Loopback

from redcore import ArgumentError


@pytest.fixture(autouse=True)
def content(server: Loopback) -> None:
    server.answer = lambda _: WHOLE


@POSIX
def test_a_download_to_a_pipe(call: Colour, make: Any, tmp_path: Path) -> None:
    """It stays a pipe, no file is left beside it, and its reader gets all."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()

    call(make().files.download, "file_1", to=path)

    reader.join()
    assert read == [CONTENT]
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_a_pipe_without_a_reader_is_waited_for_until_the_deadline(
    call: Colour, make: Any, server: Loopback, tmp_path: Path
) -> None:
    """Nothing is requested meanwhile."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(TimeoutError, match="deadline"):
        call(make(deadline=0.1).files.download, "file_1", to=tmp_path / "pipe")

    assert server.seen == []


@POSIX
def test_a_reader_that_falls_silent_is_waited_for_until_the_deadline(call: Colour, make: Any, tmp_path: Path) -> None:
    """`deadline` bounds the whole download."""
    with open_pipe(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), pytest.raises(TimeoutError, match="deadline"):
        call(make(deadline=0.1).files.download, "file_1", to=tmp_path / "pipe")


@POSIX
def test_a_download_whose_reader_is_silent_can_be_cancelled(call: Colour, make: Any, tmp_path: Path) -> None:
    """It does not wait until its reader takes the rest."""
    if call.name == "sync":
        pytest.skip("blocking calls cannot be cancelled")
    client = make()

    async def download() -> bool:
        with anyio.CancelScope() as scope:
            await client.files.download("file_1", to=tmp_path / "pipe", on_progress=lambda _: scope.cancel())
        return scope.cancelled_caught

    with open_pipe(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK):
        assert call(download)


@POSIX
def test_a_download_to_a_device(call: Colour, make: Any) -> None:
    """As `cp` would."""
    call(make().files.download, "file_1", to=os.devnull)

    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116 (as the other)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no such files")
@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
def test_a_download_to_a_descriptor(call: Colour, make: Any, tmp_path: Path, folder: str) -> None:
    """A shell opened the file (`3>catalog.csv`): a new file in its place would be another one."""
    with (tmp_path / "catalog.csv").open("wb") as file:
        call(make().files.download, "file_1", to=f"{folder}/{file.fileno()}")

        assert os.fstat(file.fileno()).st_size == len(CONTENT)


def test_a_failing_destination_is_an_argument_error(call: Colour, make: Any) -> None:
    """Whatever type of error its library raises."""

    class Full:
        def write(self, data: bytes) -> None:
            if data:
                raise EOFError

    with pytest.raises(ArgumentError, match="the file cannot be written: EOFError"):
        call(make().files.download, "file_1", to=Full())


@pytest.mark.parametrize(
    "made",
    [io.StringIO, io.TextIOWrapper, lambda _: object(), lambda _: 5, lambda file: file.close() or file],
    ids=["text", "text over bytes", "no file", "number", "closed"],
)
def test_a_destination_that_takes_no_bytes_is_refused(
    call: Colour, make: Any, server: Loopback, made: Callable[[Any], Any]
) -> None:
    """Before anything is requested."""
    target = made(io.BytesIO()) if made is not io.StringIO else io.StringIO()

    with pytest.raises(ArgumentError):
        call(make().files.download, "file_1", to=target)

    assert server.seen == []


@pytest.mark.parametrize("answer", ["well", True, -1])
def test_a_destination_whose_write_returns_anything(call: Colour, make: Any, answer: object) -> None:
    """Only a number says how many bytes were written."""
    taken: list[bytes] = []

    class Sink:
        def write(self, data: bytes) -> object:
            taken.append(data)
            return answer

    call(make().files.download, "file_1", to=Sink())

    assert b"".join(taken) == CONTENT


def test_a_destination_that_takes_a_part(call: Colour, make: Any) -> None:
    """As a socket may; it is given the rest, all of it as bytes, as not all files take a view."""
    taken: list[bytes] = []

    class Sink:
        def write(self, data: bytes) -> int:
            taken.append(data[:50_000])
            return len(taken[-1])

    call(make().files.download, "file_1", to=Sink())

    assert b"".join(taken) == CONTENT
    assert {type(piece) for piece in taken} == {bytes}


def test_a_destination_whose_method_is_wrapped(call: Colour, make: Any, server: Loopback) -> None:
    """A plain function that returns a coroutine is awaited as well, as a decorator leaves it."""
    taken: list[bytes] = []

    class Sink:
        def write(self, data: bytes) -> Awaitable[None]:
            return self._write(data)

        async def _write(self, data: bytes) -> None:
            taken.append(bytes(data))

    if call.name == "sync":
        with pytest.raises(ArgumentError, match="by AsyncClient only"):
            call(make().files.download, "file_1", to=Sink())
        assert server.seen == []
    else:
        call(make().files.download, "file_1", to=Sink())
        assert b"".join(taken) == CONTENT


@pytest.mark.parametrize("library", ["aiofiles", "anyio", "starlette"])
def test_an_async_destination(call: Colour, make: Any, server: Loopback, tmp_path: Path, library: str) -> None:
    """`AsyncClient` writes to it; `Client` refuses it before anything is requested."""
    if library == "aiofiles" and call.name == "trio":
        pytest.skip("aiofiles is for asyncio")
    client = make()
    received = UploadFile(io.BytesIO())

    async def download(to: Any) -> None:
        await client.files.download("file_1", to=to)

    async def opened() -> None:
        async with AWAITED[library](tmp_path / "a", "wb") as file:
            await download(file)

    if call.name == "sync":
        with pytest.raises(ArgumentError, match="by AsyncClient only"):
            client.files.download("file_1", to=received)
        assert server.seen == []
    elif library == "starlette":
        call(download, received)
        assert received.file.getvalue() == CONTENT  # type: ignore[attr-defined]
    else:
        call(opened)
        assert (tmp_path / "a").read_bytes() == CONTENT
