"""Memory of the running server while a client sends 100 MB to any operation: it stays within 10 MB of before."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.server.process.test_up import Server, up
from tests.server.support.processes import eventually

from redcore_server.contract import spec

HUNDRED_MB = 100 * 2**20
PIECE = 64 * 1024
NO_LIMITS = {f"REDCORE_SERVER_ANONYMOUS_PER_{unit}": "100000" for unit in ("MINUTE", "SECOND")}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PAGES = ["GET /oauth/authorize", "POST /oauth/authorize", "POST /oauth/device", "POST /saml/acs", "POST /nowhere"]
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
NAME = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
FORMS = {
    "a file": (PART, b"x"),
    "near boundaries": (PART, b"\r\n--"),
    "a field": (NAME, b"x"),
    "parts": (b"", b"--b\r\n\r\n\r\n"),
    "fields after a file": (PART + b"x\r\n", NAME + b"x\r\n"),
    "headers": (b"--b\r\n", b"a: b\r\n"),
    "a preamble": (b"", b"\r\n--"),
    "an epilogue": (PART + b"x\r\n--b--\r\n", b"x"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with up(tmp_path_factory.mktemp("memory") / "data", **NO_LIMITS) as server:
        warm_up(server)
        yield server


def warm_up(server: Server) -> None:
    """Use each operation and page once, with a small body: one-time allocations do not count."""
    send(server, "POST /v1/files", MULTIPART, PART, b"x", is_chunked=True)
    with server.client as client:
        for line in [*operations(), *PAGES]:
            method, _, path = line.partition(" ")
            for media, body in ((JSON, b"[]"), (FORM, b"a=b")):
                url = f"http://{client.base_url.netloc.decode()}{path}"
                client.request(method, url, content=body, headers={"Content-Type": media})


def operations() -> Iterator[str]:
    """Return each operation of the contract, on a resource that does not exist."""
    for operation in spec.load().operations.values():
        prefix = "" if operation.scope is None else "/v1"
        yield f"{operation.method} {prefix}{re.sub('{.*?}', 'x', operation.path)}"


def resident_mb(server: Server) -> float:
    """Return the resident memory of the process that serves."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def address(server: Server) -> tuple[str, int]:
    """Return the address that the server listens on."""
    origin = urlsplit(server.environment["REDCORE_BASE_URL"])
    return str(origin.hostname), origin.port or 0


def send(server: Server, line: str, media: str, beginning: bytes, piece: bytes, *, is_chunked: bool) -> int:
    """Send 100 MB whether or not the server still reads; return how many bytes were sent."""
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {HUNDRED_MB}"
    key = server.environment["REDCORE_API_KEY"]
    head = f"{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: {media}\r\n{framing}\r\n\r\n"
    block, sent = piece * (PIECE // len(piece)), 0
    pieces = [beginning or piece, *[block] * (HUNDRED_MB // len(block))]
    with socket.create_connection(address(server), timeout=30) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(head.encode())
        for each in pieces:
            connection.sendall(b"%x\r\n%s\r\n" % (len(each), each) if is_chunked else each)
            sent += len(each)
    return sent


@pytest.mark.parametrize(
    ("media", "piece", "is_chunked"), [(JSON, b"[", True), (FORM, b"a=b&", False)], ids=["json-chunked", "form-length"]
)
def test_no_operation_keeps_a_body_of_100_mb(server: Server, media: str, piece: bytes, *, is_chunked: bool) -> None:
    """Of the contract and of the pages, whether it takes a body or not."""
    before_mb = resident_mb(server)

    sent = {line: send(server, line, media, b"", piece, is_chunked=is_chunked) for line in [*operations(), *PAGES]}

    assert eventually(lambda: resident_mb(server) < before_mb + 10), sent
    assert len(sent) > 30


@pytest.mark.parametrize(("kind", "is_chunked"), [("a file", False), *((kind, True) for kind in FORMS)])
def test_no_form_of_100_mb_is_kept(server: Server, kind: str, *, is_chunked: bool) -> None:
    """Not its parts, their headers, or the preamble and epilogue; a file is streamed to the object store."""
    before_mb = resident_mb(server)

    send(server, "POST /v1/files", MULTIPART, *FORMS[kind], is_chunked=is_chunked)

    assert eventually(lambda: resident_mb(server) < before_mb + 10)


@pytest.mark.parametrize("is_upload", [False, True], ids=["get", "post"])
def test_no_100_mb_of_requests_are_kept(server: Server, *, is_upload: bool) -> None:
    """Whatever their answer, without credentials: the connection ends when too many wait."""
    head = (
        b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"
        if is_upload
        else b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    before_mb = resident_mb(server)

    with socket.create_connection(address(server), timeout=30) as connection, contextlib.suppress(ConnectionError):
        for _ in range(HUNDRED_MB // PIECE):
            connection.sendall(head * (PIECE // len(head)))

    assert eventually(lambda: resident_mb(server) < before_mb + 10)


def test_heads_that_never_ended_are_not_kept(server: Server) -> None:
    """Of 600 connections at once: their bytes lie among each other, too small to be returned one by one.

    They need 36 MB; up to half of it may be memory that was free already, or is returned meanwhile.
    """
    before_mb = resident_mb(server)

    with contextlib.ExitStack() as stack:
        for _ in range(600):
            connection = stack.enter_context(socket.create_connection(address(server), timeout=30))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 60_000)
        assert eventually(lambda: resident_mb(server) > before_mb + 15)

    assert eventually(lambda: resident_mb(server) < before_mb + 10)


def unread_bytes(port: int) -> int:
    """Return how many bytes of connections from or to a port the kernel holds."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queues = [fields[4].split(":") for fields in lines if f"{port:04X}" in {fields[1][9:], fields[2][9:]}]
    return sum(int(queue, 16) for pair in queues for queue in pair)


def test_uploads_that_stall_keep_little_in_memory(server: Server) -> None:
    """Of 100 MB in twenty uploads, of which each waits for its next part to be whole."""
    key = server.environment["REDCORE_API_KEY"]
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: {MULTIPART}\r\n"
        f"Content-Length: {HUNDRED_MB}\r\n\r\n"
    )
    before_mb = resident_mb(server)

    with contextlib.ExitStack() as stack:
        for _ in range(20):
            upload = stack.enter_context(socket.create_connection(address(server), timeout=30))
            upload.sendall(head.encode() + PART + b"x" * (HUNDRED_MB // 20 - PIECE))
        assert eventually(lambda: unread_bytes(address(server)[1]) == 0)
        during_mb = resident_mb(server)

    assert during_mb < before_mb + 25
