"""The file that the loopback server keeps, and its answers to downloads of it: whole, in ranges, broken off."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

from tests.client.loopback import Loopback, Raw, Reply, Seen

CONTENT = os.urandom(300_000)
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def whole(content: bytes = CONTENT, **headers: str) -> Reply:
    """Make the answer to a download."""
    return Reply(200, content, {"ETag": ETAG, **{name.replace("_", "-"): value for name, value in headers.items()}})


def rest(start: int, content: bytes = CONTENT, **headers: str) -> Reply:
    """Make the answer to a range request."""
    part = {"ETag": ETAG, "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
    return Reply(206, content[start:], {**part, **{name.replace("_", "-"): value for name, value in headers.items()}})


def broken(answer: Reply, after: int) -> Raw:
    """Make an answer whose connection ends after so many bytes of the body."""

    def send(connection: socket.socket) -> None:
        encoded = answer.encode()
        connection.sendall(encoded[: encoded.index(b"\r\n\r\n") + 4 + after])
        connection.shutdown(socket.SHUT_RDWR)

    return send


def breaking(server: Loopback, *after: int) -> None:
    """Answer each request as asked, but break the first ones off after so many bytes."""
    left = list(after)

    def answer(seen: Seen) -> Reply | Raw:
        start = int(seen.headers.get("range", "bytes=0-")[6:-1])
        response = rest(start) if "range" in seen.headers else whole()
        return broken(response, left.pop(0)) if left else response

    server.answer = answer


def ranges(seen: Seen) -> tuple[str | None, str | None]:
    """The ranges that were requested."""
    return seen.headers.get("range"), seen.headers.get("if-range")


def part_of(path: Path) -> Path:
    """The partial file of a download to a path."""
    return path.with_name(f"{path.name}.file_1.part")
