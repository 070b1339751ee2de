"""The object store in a local folder: uploads and what they leave behind."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from redcore_server.settings import Settings
from redcore_server.store.objects import Objects, open_objects

pytestmark = pytest.mark.anyio

PIECE = bytes(range(256)) * 600  # as long as a socket gives at once; it divides no part


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return open_objects(Settings(data=tmp_path))


async def pieces(count: int, error: Exception | None = None) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE
    if error is not None:
        raise error


@pytest.mark.parametrize("count", [0, 1, 34, 35, 100])
async def test_an_object_of_uneven_pieces_round_trips(count: int, objects: Objects) -> None:
    """Below a part of 5 MiB, just above it, and several parts."""
    await objects.put("files/object", pieces(count))

    content = b"".join([piece async for piece in await objects.get("files/object", 0, count * len(PIECE))])
    assert content == count * PIECE


async def test_a_piece_of_several_parts_round_trips(objects: Objects) -> None:
    """However much a source gives at once."""

    async def whole() -> AsyncIterator[bytes]:
        yield PIECE * 100

    await objects.put("files/object", whole())

    content = b"".join([piece async for piece in await objects.get("files/object", 0, 100 * len(PIECE))])
    assert content == 100 * PIECE


@pytest.mark.parametrize("count", [30, 100])
async def test_the_error_of_an_upload_keeps_none_of_its_bytes(count: int, objects: Objects) -> None:
    """The threads of obstore keep the error, and so its frames, until obstore is called again."""
    with pytest.raises(EOFError) as caught:
        await objects.put("files/object", pieces(count, EOFError()))

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    held = [value for frame in frames for value in frame.f_locals.values()]
    held += [value for each in held for value in getattr(each, "__dict__", {}).values()]
    assert max(len(value) for value in held if isinstance(value, (bytes, bytearray))) <= len(PIECE)
