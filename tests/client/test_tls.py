"""TLS to a server whose certificate authority `SSL_CERT_FILE` names."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import certifi
import pytest
import trustme
from cryptography import x509
from tests.client.colours import OWN_TRANSPORTS, Colour, colours_over, named
from tests.client.loopback import Loopback, Reply, delivered, refusal, reset, user

from redcore import Client, NetworkError, RedcoreAPIError
from redcore._transport.tls import advice, tls

colour = colours_over(OWN_TRANSPORTS)


@pytest.fixture
def server(certificate: Path) -> Iterator[Loopback]:
    settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    settings.load_cert_chain(certificate)
    with Loopback(settings) as server:
        yield server


def test_an_encrypted_connection(
    call: Colour, make: Any, server: Loopback, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is used again, carries large bodies both ways, and is closed with the client."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    content = bytes(range(256)) * 8000
    client = make()

    assert call(client.users.create, email="a@b.example", name="x" * 500_000, role="editor").id == "usr_1"
    checked = {"Content-Type": "application/octet-stream", "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
    server.answer = lambda _: Reply(200, content, checked)
    assert call(client.files.download, "file_1") == content

    assert server.accepted == 1
    assert len(server.seen[0].body) > 500_000
    call.close(client)
    assert server.ended.acquire(timeout=30)


def test_without_a_variable_the_authorities_are_those_of_certifi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the authorities of the machine, which differ from one to the next."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)

    trusted = tls().get_ca_certs(binary_form=True)

    assert trusted == ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)
    assert trusted


@pytest.mark.parametrize("colour", [("sync", None), ("trio", None)], ids=named)
def test_a_refusal_before_the_body_has_arrived(
    call: Colour, make: Any, server: Loopback, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read although the server hangs up, so that a write fails before."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server.refuse_next = refusal(413, "TOO_LARGE")

    with pytest.raises(RedcoreAPIError) as caught:
        call(make(max_retries=0).files.upload, file=io.BytesIO(bytes(2**23)))

    assert caught.value.status == 413


@pytest.mark.parametrize("colour", [("sync", None), ("asyncio", None), ("uvloop", None)], ids=named)
@pytest.mark.parametrize("farewell", [True, False])
def test_an_answer_that_only_the_end_of_the_connection_ends(  # noqa: PLR0917 (fixtures)
    call: Colour,
    make: Any,
    server: Loopback,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    farewell: bool,  # noqa: FBT001 (a parameter)
) -> None:
    """It is complete with a TLS close_notify, and broken without: it may have been truncated."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def answer(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + user().body)
        if farewell:
            connection.unwrap()
        connection.shutdown(socket.SHUT_RDWR)

    server.answer = lambda _: answer
    client = make(max_retries=0)

    if farewell:
        assert call(client.users.get_me).id == "usr_1"
    else:
        with pytest.raises(NetworkError, match="no answer"):
            call(client.users.get_me)


def in_one_record(connection: socket.socket) -> None:
    connection.sendall(user().encode() + user(id="usr_mallory").encode())


def in_a_second_record(connection: socket.socket) -> None:
    connection.sendall(user().encode())
    connection.sendall(user(id="usr_mallory").encode())


def with_farewell(connection: socket.socket) -> None:
    connection.sendall(user().encode())
    connection.settimeout(0)
    with suppress(OSError):  # the other side sends none, or has hung up at once
        cast("ssl.SSLSocket", connection).unwrap()
    connection.settimeout(None)


@pytest.mark.parametrize("colour", [*OWN_TRANSPORTS, ("asyncio", "httpx"), ("trio", "httpx")], ids=named)
@pytest.mark.parametrize("ending", [in_one_record, in_a_second_record, with_farewell])
def test_bytes_after_an_answer(  # noqa: PLR0917 (fixtures)
    call: Colour,
    make: Any,
    server: Loopback,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    ending: Callable[[socket.socket], None],
) -> None:
    """The next call has another connection: TLS may hold bytes that the socket does not show."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    further: list[bytes] = []
    sent = threading.Event()

    def answer(connection: socket.socket) -> None:
        ending(connection)
        delivered(connection)
        sent.set()
        with suppress(OSError):
            further.append(connection.recv(1000))

    client = make(max_retries=0)
    server.answer = lambda _: answer
    assert call(client.users.get_me).id == "usr_1"
    assert sent.wait(30)
    server.answer = lambda _: user(id="usr_2")

    assert call(client.users.get_me).id == "usr_2"
    assert server.accepted == 2
    assert not any(further)


@pytest.mark.parametrize("transport", ["direct", "httpcore"])
def test_ctrl_c_during_a_handshake(
    server: Loopback, certificate: Path, monkeypatch: pytest.MonkeyPatch, transport: Any
) -> None:
    """It closes the connection; the garbage collector finds no socket, or it would warn."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    agree = ssl.SSLSocket.do_handshake

    def interrupted(sock: ssl.SSLSocket) -> None:
        if not sock.server_side:
            raise KeyboardInterrupt
        agree(sock)

    with (
        Client(api_key="rk_test_1", base_url=server.base_url, transport=transport) as client,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        monkeypatch.setattr(ssl.SSLSocket, "do_handshake", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.users.get_me()
        monkeypatch.setattr(ssl.SSLSocket, "do_handshake", agree)
        gc.collect()

        assert [str(each.message) for each in caught] == []
        assert client.users.get_me().id == "usr_1"


def test_a_certificate_that_only_python_3_13_refuses() -> None:
    """The advice says so: the same call works with earlier versions, and curl accepts the certificate."""
    problem = ssl.SSLCertVerificationError("certificate verify failed: Missing Authority Key Identifier")
    problem.verify_code = 85  # X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER

    assert "Python 3.13 and later refuse a certificate that breaks RFC 5280" in advice(problem)


def test_a_server_without_tls() -> None:
    """The advice says so, where OpenSSL speaks of a wrong version number."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError) as caught:
        ssl.create_default_context().wrap_bio(theirs, ours, server_hostname="localhost").do_handshake()

    assert "does not speak TLS" in advice(caught.value)


@pytest.mark.parametrize("reason", ["WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"])
def test_both_words_for_a_server_without_tls(reason: str) -> None:
    """Releases of OpenSSL differ in which one Python shows."""
    problem = ssl.SSLError()
    problem.reason = reason

    assert "does not speak TLS" in advice(problem)


def test_a_certificate_of_an_unknown_authority(call: Colour, make: Any, server: Loopback) -> None:
    """The request does not reach such a server."""
    with pytest.raises(NetworkError, match="no answer") as caught:
        call(make(max_retries=0).users.get_me)

    assert caught.value.request_id is not None
    assert server.seen == []


@pytest.mark.parametrize("colour", [("sync", None)], ids=named)
@pytest.mark.parametrize("way", ["in place", "behind a link"])
def test_a_rotated_authority_in_one_of_several_folders(
    call: Colour, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The next connection trusts it, although neither the list of folders nor a folder itself has changed."""
    folder, source = tmp_path / "authorities", tmp_path / "authority.pem"
    folder.mkdir()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join([str(tmp_path), str(folder)]))
    for number in (1, 2):
        authority = trustme.CA(organization_name="any", organization_unit_name="the same name")
        target = folder / f"{hash_of(authority)}.0" if way == "in place" else source
        target.write_bytes(authority.cert_pem.bytes())
        if way == "behind a link" and number == 1:
            (folder / f"{hash_of(authority)}.0").symlink_to(source)
        settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(settings)
        with Loopback(settings) as server:
            client = make(base_url=server.base_url, max_retries=0)
            assert call(client.users.get_me).id == "usr_1"
            call.close(client)


def hash_of(authority: trustme.CA) -> str:
    """The name of its file in a folder, for OpenSSL, without a number: a hash of its subject in lower case."""
    name = x509.load_pem_x509_certificate(authority.cert_pem.bytes()).subject.public_bytes()
    digest = hashlib.sha1(name[2:], usedforsecurity=False).digest()  # without the header of the sequence
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def test_a_rotated_authority(  # noqa: PLR0917 (fixtures)
    call: Colour, make: Any, server: Loopback, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client's next connection trusts the present content of the file; a half-written file is ignored."""
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    client = make(max_retries=0)
    with pytest.raises(NetworkError, match="CERTIFICATE_VERIFY_FAILED"):
        call(client.users.get_me)

    authorities.write_bytes(certificate.read_bytes())
    assert call(client.users.get_me).id == "usr_1"

    authorities.write_text("-----BEGIN CERTIFICATE-----")
    server.answer = lambda _: reset
    with pytest.raises(NetworkError):
        call(client.users.get_me)
    server.answer = lambda _: user()
    assert call(client.users.get_me).id == "usr_1"
