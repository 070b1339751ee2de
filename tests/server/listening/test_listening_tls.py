"""TLS of the gateway: a certificate of its own or a given one, and plain HTTP on the same port."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.lowlevel
import httpx
import pytest
import structlog
import trustme

from redcore_server.listening.acceptor import Acceptor
from redcore_server.listening.address import listen
from redcore_server.listening.redirect import RedirectToTls
from redcore_server.listening.tls import authority_file, tls_context
from redcore_server.settings import Settings, SettingsError

pytestmark = pytest.mark.anyio

CANARY = "hunter2-canary"


class Greeting(asyncio.Protocol):
    """Answers each line with one word, and hangs up."""

    def __init__(self, word: bytes) -> None:
        self.word = word

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, _: bytes) -> None:
        self.transport.write(self.word)
        self.transport.close()


@asynccontextmanager
async def accepting(context: ssl.SSLContext | None, *, client_s: float = 30) -> AsyncIterator[int]:
    """Accept connections; yield the port."""
    with listen("127.0.0.1", 0) as listener:
        acceptor = Acceptor(
            listener=listener,
            context=context,
            secure=lambda: Greeting(b"secure"),
            plain=lambda: Greeting(b"plain"),
            client_s=client_s,
            pause_s=0,
        )
        acceptor.open()
        yield listener.getsockname()[1]
        acceptor.close()
        await acceptor.wait_closed()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, tls=True)


def of(settings: Settings) -> ssl.SSLContext:
    context = tls_context(settings)
    assert context is not None
    return context


async def answer_of(port: int, context: ssl.SSLContext | None, *, name: str = "127.0.0.1") -> bytes:
    """Return the answer to a client that sends a line first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=context and name)
    writer.write(b"GET / HTTP/1.1\r\n")
    word = await reader.read()
    writer.close()
    return word


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1"])
async def test_one_port_for_tls_and_plain_http(settings: Settings, name: str) -> None:
    """By the first byte; our own certificate is valid for every name of this machine."""
    async with accepting(of(settings)) as port:
        trusting = ssl.create_default_context(cafile=str(authority_file(settings.data)))

        assert (await answer_of(port, trusting, name=name), await answer_of(port, None)) == (b"secure", b"plain")


async def test_clients_that_trusted_once_trust_the_next_start(settings: Settings) -> None:
    """The authority stays; only its owner reads its key."""
    tls_context(settings)
    authority = authority_file(settings.data).read_bytes()
    trusting = ssl.create_default_context(cadata=authority.decode())

    async with accepting(of(settings)) as port:
        assert await answer_of(port, trusting) == b"secure"

    assert authority_file(settings.data).read_bytes() == authority
    assert {file.stat().st_mode & 0o777 for file in authority_file(settings.data).parent.iterdir()} == {0o600}


async def test_other_clients_do_not_trust_it(settings: Settings) -> None:
    """A client without the authority refuses."""
    async with accepting(of(settings)) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await answer_of(port, ssl.create_default_context())


async def test_old_versions_are_refused(settings: Settings) -> None:
    """RFC 9325 section 3.1.1."""
    async with accepting(of(settings)) as port:
        old = ssl.create_default_context(cafile=str(authority_file(settings.data)))
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await answer_of(port, old)


async def test_a_silent_connection_is_closed(settings: Settings) -> None:
    """Before its protocol is known; others are served meanwhile."""
    async with accepting(of(settings), client_s=0.01) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        assert await reader.read() == b""
        assert await answer_of(port, None) == b"plain"
        writer.close()


async def test_a_failed_handshake_affects_no_other_connection(settings: Settings) -> None:
    """Garbage that begins like a handshake ends its own connection."""
    async with accepting(of(settings)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16garbage" * 100)
        await writer.drain()

        assert await answer_of(port, None) == b"plain"
        writer.close()


async def test_closed_connections_are_dropped(settings: Settings) -> None:
    """Clients that hang up at once, by the dozen."""
    async with accepting(of(settings)) as port:
        for _ in range(50):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.abort()

        assert await answer_of(port, None) == b"plain"


@pytest.mark.parametrize("has_tls", [True, False])
async def test_the_log_says_why_no_connection_can_be_accepted(
    settings: Settings,
    has_tls: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once per pause, and waiting clients are served when descriptors are free again."""
    results = iter([OSError(errno.EMFILE, "Too many open files")])

    async def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
        for error in results:
            raise error
        return await real(listener)

    loop = asyncio.get_running_loop()
    real = loop.sock_accept
    monkeypatch.setattr(loop, "sock_accept", accept)
    with structlog.testing.capture_logs() as lines:
        async with accepting(of(settings) if has_tls else None) as port:
            assert await answer_of(port, None) == b"plain"

    assert [(line["log_level"], line["event"], line["problem"]) for line in lines] == [
        ("error", "no connection can be accepted", "[Errno 24] Too many open files")
    ]


async def test_a_closed_acceptor_accepts_no_more(settings: Settings) -> None:
    """A connection in the handshake is closed."""
    async with accepting(of(settings)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await anyio.lowlevel.checkpoint()

    assert await reader.read() == b""
    writer.close()


def test_without_tls_there_is_no_context(tmp_path: Path) -> None:
    """Nor a folder for it."""
    assert tls_context(Settings(data=tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def given(tmp_path: Path) -> tuple[trustme.CA, Path, Path]:
    """An authority, and files of a certificate that it signed."""
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return authority, certificate, key


async def test_a_given_certificate(tmp_path: Path, given: tuple[trustme.CA, Path, Path]) -> None:
    """Clients see it, and no other one is made."""
    authority, certificate, key = given
    settings = Settings(data=tmp_path / "data", tls_certificate=certificate, tls_key=key)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async with accepting(of(settings)) as port:
        assert await answer_of(port, trusting) == b"secure"

    assert settings.origin == "https://127.0.0.1:4010"
    assert not (tmp_path / "data").exists()


def test_a_key_of_another_certificate(tmp_path: Path, given: tuple[trustme.CA, Path, Path]) -> None:
    """Both variables are named; a path is not a secret."""
    _, certificate, key = given
    key.write_bytes(trustme.CA().issue_cert("127.0.0.1").private_key_pem.bytes())

    with pytest.raises(SettingsError, match="REDCORE_SERVER_TLS_CERTIFICATE and REDCORE_SERVER_TLS_KEY are no"):
        tls_context(Settings(data=tmp_path, tls_certificate=certificate, tls_key=key))


def test_an_invalid_certificate_file(tmp_path: Path, given: tuple[trustme.CA, Path, Path]) -> None:
    """Its content is not shown."""
    _, certificate, key = given
    certificate.write_text(CANARY)

    with pytest.raises(SettingsError, match="REDCORE_SERVER_TLS_CERTIFICATE") as caught:
        tls_context(Settings(data=tmp_path, tls_certificate=certificate, tls_key=key))

    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_a_missing_file(tmp_path: Path, given: tuple[trustme.CA, Path, Path], missing: str) -> None:
    """The variable that names it is named."""
    _, certificate, key = given
    (certificate if missing == "certificate" else key).unlink()

    with pytest.raises(SettingsError, match=f"REDCORE_SERVER_TLS_{missing.upper()} names no file"):
        tls_context(Settings(data=tmp_path, tls_certificate=certificate, tls_key=key))


def test_a_damaged_authority(settings: Settings) -> None:
    """The error says what to delete."""
    authority_file(settings.data).parent.mkdir()
    authority_file(settings.data).write_text("nothing")
    authority_file(settings.data).with_name("ca.key").write_text("nothing")

    with pytest.raises(SettingsError, match="delete the folder"):
        tls_context(settings)


async def test_the_redirect_keeps_path_and_query() -> None:
    """The target is the server's own origin, whatever host the client named."""
    app = RedirectToTls("https://api.example.com")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://evil.example") as client:
        answers = [await client.get("/v1/users/a%2Fb?q=%C3%A9"), await client.post("/oauth/token", data={"a": "b"})]

    assert [answer.status_code for answer in answers] == [301, 301]
    assert [answer.headers["Location"] for answer in answers] == [
        "https://api.example.com/v1/users/a%2Fb?q=%C3%A9",
        "https://api.example.com/oauth/token",
    ]
