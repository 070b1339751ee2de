"""Files of all kinds, and what a server sees of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest
from tests.client.loopback import Reply, Seen

CONTENT = b"0123456789" * 20_000
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
WHOLE = Reply(200, CONTENT, {"ETag": ETAG})
"""The answer to a download of the content."""
POSIX = pytest.mark.skipif(os.name != "posix", reason="this system has no such files")


@asynccontextmanager
async def anyio_open(path: Path, mode: Any) -> AsyncIterator[Any]:
    async with await anyio.open_file(path, mode) as file:
        yield file


AWAITED: dict[str, Any] = {"aiofiles": aiofiles.open, "anyio": anyio_open}


@contextmanager
def open_pipe(path: Path, flags: int) -> Iterator[int]:
    """Make a pipe, and open one end of it, which does nothing by itself."""
    os.mkfifo(path)
    opened = os.open(path, flags)
    try:
        yield opened
    finally:
        os.close(opened)


def part(seen: Seen) -> tuple[str, bytes]:
    """Return head and content of the file in a multipart body."""
    boundary = seen.headers["content-type"].partition("boundary=")[2]
    head, _, content = seen.body.split(f"--{boundary}".encode())[-2].partition(b"\r\n\r\n")
    return head.decode(), content.removesuffix(b"\r\n")
