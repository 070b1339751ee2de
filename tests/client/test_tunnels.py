"""Calls through real proxies to a TLS origin, whose certificate is of an authority of the test's own."""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.client.colours import OWN_TRANSPORTS, Colour, colours_over, named
from tests.client.loopback import Loopback, Reply, delivered, names_asked_for, stored, user
from tests.client.tunnelling import ConnectProxy, SocksProxy

from redcore import ConfigurationError, NetworkError, RequestTimeoutError
from redcore._transport.socks import dialogue

LOGIN = ("ada", "p@ss:ü")
SOCKS = [one for one in OWN_TRANSPORTS if one[1] != "aiohttp"]


colour = colours_over(OWN_TRANSPORTS)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "origin.test").configure_cert(settings)
    return settings


@pytest.fixture
def server(
    authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Loopback]:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with Loopback(tls) as server:
        yield server


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_tunnel(  # noqa: PLR0917 (fixtures)
    call: Colour,
    make: Any,
    server: Loopback,
    tls: ssl.SSLContext,
    scheme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is kept for further calls and for large bodies both ways, and the proxy sees neither token nor content."""
    content = b"content-canary" * 100_000
    with ConnectProxy(LOGIN, tls if scheme == "https" else None) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://ada:p%40ss:%C3%BC@{proxy.address}")
        client = make(base_url=f"https://origin.test:{server.port}/v1", max_retries=0)

        assert call(client.users.get_me).id == "usr_1"
        server.answer = lambda _: stored(content)
        call(client.files.upload, file=content)
        checked = {"Content-Type": "application/octet-stream", "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        server.answer = lambda _: Reply(200, content, checked)
        assert call(client.files.download, "file_1") == content

        passed = b"".join(proxy.seen)
        assert proxy.asked == [("origin.test", server.port)]
        assert b"rk_test_key" not in passed
        assert b"canary" not in passed
        assert server.seen[0].headers["authorization"] == "Bearer rk_test_key"
        assert "proxy-authorization" not in server.seen[0].headers


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bytes_after_an_answer_through_a_tunnel(  # noqa: PLR0917 (fixtures)
    call: Colour, make: Any, server: Loopback, tls: ssl.SSLContext, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next call has another connection; TLS within TLS holds more bytes that the socket does not show."""

    def answer(connection: socket.socket) -> None:
        proxy.passes.clear()
        connection.sendall(user().encode())
        connection.sendall(user(id="usr_mallory").encode())
        delivered(connection)
        proxy.passes.set()
        with suppress(OSError):
            connection.recv(1000)

    with ConnectProxy(tls=tls if scheme == "https" else None) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{proxy.address}")
        client = make(max_retries=0)
        server.answer = lambda _: answer
        assert call(client.users.get_me).id == "usr_1"
        server.answer = lambda _: user(id="usr_2")

        assert call(client.users.get_me).id == "usr_2"
        assert server.accepted == 2


@pytest.mark.parametrize(
    ("is_known", "days", "advice"),
    [
        (True, (-9, -1), "is the clock of this machine right?"),
        (True, (1, 9), "is the clock of this machine right?"),
        (False, (-1, 1), "SSL_CERT_FILE names the authorities to trust"),
    ],
    ids=["expired", "not yet valid", "of an unknown authority"],
)
def test_a_certificate_that_is_not_accepted(  # noqa: PLR0917 (fixtures)
    call: Colour,
    make: Any,
    server: Loopback,
    authority: trustme.CA,
    is_known: bool,  # noqa: FBT001 (a parameter of the test)
    days: tuple[int, int],
    advice: str,
) -> None:
    """The error says what to check."""
    now = dt.datetime.now(dt.UTC)
    signer = authority if is_known else trustme.CA()
    begin, end = (now + dt.timedelta(count) for count in days)
    settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    signer.issue_cert("127.0.0.1", not_before=begin, not_after=end).configure_cert(settings)
    with Loopback(settings) as other, pytest.raises(NetworkError, match="certificate verify failed") as caught:
        call(make(base_url=other.base_url, max_retries=0).users.get_me)

    assert advice in str(caught.value)


def test_a_name_with_a_trailing_dot(call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name resolution gets the dot, which ends the search list; certificates have none (RFC 6066 section 3)."""
    asked = names_asked_for(monkeypatch, server)

    call(make(base_url=f"https://origin.test.:{server.port}/v1", max_retries=0).users.get_me)

    assert asked == ["origin.test."]


@pytest.mark.parametrize("host", ["127.0.0.1", "origin.test"])
def test_the_target_in_a_connect_request(
    call: Colour, make: Any, server: Loopback, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address as it is, and a name as a name, which the proxy resolves."""
    with ConnectProxy() as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.address)

        call(make(base_url=f"https://{host}:{server.port}/v1", max_retries=0).users.get_me)

        assert proxy.asked == [(host, server.port)]


def test_a_proxy_that_asks_for_another_login(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says who refused, and which variable to check, without the password; the origin sees nothing."""
    with ConnectProxy(LOGIN) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:canary@{proxy.address}")

        with pytest.raises(NetworkError, match=r"through the proxy: 407.*see HTTPS_PROXY") as caught:
            call(make(max_retries=0).users.get_me)

    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert server.seen == []


def test_an_unreachable_proxy(call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that it is about the proxy, and which variable names it."""
    monkeypatch.setenv("ALL_PROXY", "http://ada:canary@127.0.0.1:9")

    with pytest.raises(NetworkError, match=r"through the proxy: .*see ALL_PROXY") as caught:
        call(make(max_retries=0).users.get_me)

    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_certificate_behind_a_proxy_is_checked(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that connects to another server gets no token."""
    with ConnectProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)

        with pytest.raises(NetworkError, match="CERTIFICATE_VERIFY_FAILED"):
            call(make(base_url=f"https://other.test:{server.port}/v1", max_retries=0).users.get_me)

    assert server.seen == []


@pytest.mark.parametrize(
    ("scheme", "said"),
    [("http", b""), ("http", b"SSH-2.0-any\r\n\r\n"), ("http", b"HTTP/1.1 200 Any\r\n\r\n"), ("https", b"")],
    ids=["in silence", "with another protocol", "after it agreed", "without TLS"],
)
def test_a_proxy_that_breaks_off(  # noqa: PLR0917 (fixtures)
    call: Colour, make: Any, server: Loopback, scheme: str, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that there is a proxy, and which variable names it; not its password."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(said)

    with Loopback() as proxy:
        proxy.answer = lambda _: answer
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://ada:canary@127.0.0.1:{proxy.port}")

        with pytest.raises(NetworkError, match=r"through .*proxy.*see HTTPS_PROXY") as caught:
            call(make(max_retries=0).users.get_me)

    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert server.seen == []


def test_a_silent_proxy_costs_one_attempt(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of an attempt includes that of the tunnel; the error says that there is a proxy."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{silent.getsockname()[1]}")

        with pytest.raises(RequestTimeoutError, match=r"within 0\.1 s; .*see HTTPS_PROXY"):
            call(make(max_retries=0, timeout=0.1).users.get_me)


# SOCKS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", SOCKS, ids=named)
@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("socks5://{}", None),
        ("socks5h://ada:p%40ss:%C3%BC@{}", LOGIN),
        ("socks://ada:p%40ss:%C3%BC@{}/", None),
    ],
)
def test_a_socks_proxy(  # noqa: PLR0917 (fixtures)
    call: Colour,
    make: Any,
    server: Loopback,
    url: str,
    login: tuple[str, str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It resolves the name, and gets the login only if it asks for one; the connection is used again."""
    with SocksProxy(login) as proxy:
        monkeypatch.setenv("ALL_PROXY", url.format(proxy.address))
        client = make(base_url=f"https://origin.test:{server.port}/v1", max_retries=0)

        for _ in range(2):
            assert call(client.users.get_me).id == "usr_1"

        assert proxy.asked == [("origin.test", server.port)]
        assert b"rk_test_key" not in b"".join(proxy.seen)


@pytest.mark.parametrize("colour", SOCKS, ids=named)
@pytest.mark.parametrize(
    ("replies", "problem"),
    [
        (b"\x05\xff", "it accepts none of the ways to log in"),
        (b"\x05\x02\x01\x01", "it does not accept the user name and password"),
        (b"\x05\x00\x05\x02\x00\x01", "its rules do not allow it"),
        (b"\x05\x00\x05\x99\x00\x01", "code 153"),
        (b"\x05", "it closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak SOCKS 5"),
    ],
)
def test_a_socks_proxy_that_refuses(  # noqa: PLR0917 (fixtures)
    call: Colour, make: Any, server: Loopback, replies: bytes, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a NetworkError with its reason and the variable, without the password."""

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):  # the other side hangs up
            connection.sendall(replies)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        monkeypatch.setenv("ALL_PROXY", f"socks5://ada:canary@127.0.0.1:{listener.getsockname()[1]}")

        with pytest.raises(NetworkError, match=f"through the proxy: {problem}; see ALL_PROXY") as caught:
            call(make(max_retries=0).users.get_me)

    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("colour", [("asyncio", "aiohttp")], ids=named)
def test_aiohttp_supports_no_socks_proxy(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable, and what to do."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")

    with pytest.raises(ConfigurationError, match=r"ALL_PROXY is a SOCKS proxy.*make the client without"):
        call(make().users.get_me)


def run(host: str, *replies: bytes, login: tuple[bytes, bytes] | None = None) -> list[bytes]:
    """Return what a dialogue sends if it receives these."""
    sent: list[bytes] = []
    left = list(replies)
    talk = dialogue(host, 443, login)
    said = next(talk, None)
    with suppress(StopIteration):
        while said is not None:
            if isinstance(said, bytes):
                sent.append(said)
                said = talk.send(b"")
            else:
                said = talk.send(left.pop(0))
    assert not left
    return sent


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", b"\x01\x7f\x00\x00\x01"), ("::1", b"\x04" + bytes(15) + b"\x01"), ("a.b", b"\x03\x03a.b")],
)
def test_a_socks_target(host: str, address: bytes) -> None:
    """Addresses are sent as addresses, and every kind of bound address in the reply is skipped."""
    for bound in [
        (b"\x05\x00\x00\x01", bytes(6)),
        (b"\x05\x00\x00\x03", b"\x02", bytes(4)),
        (b"\x05\x00\x00\x04", bytes(18)),
    ]:
        assert run(host, b"\x05\x00", *bound) == [b"\x05\x01\x00", b"\x05\x01\x00" + address + b"\x01\xbb"]


def test_a_socks_login_that_is_too_long() -> None:
    """Its length has one byte."""
    with pytest.raises(ConnectionError, match="at most 255 bytes"):
        run("a.b", b"\x05\x02", login=(b"ada", b"x" * 256))
