"""Variables of the environment for proxies and certificates."""

from __future__ import annotations

import socket
import sys
import traceback
from base64 import b64encode
from pathlib import Path
from typing import Any

import certifi
import pytest
from tests.client.colours import OWN_TRANSPORTS, Colour, colours_over
from tests.client.loopback import Loopback

from redcore import AsyncClient, ConfigurationError, NetworkError
from redcore._transport.tls import tls

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


colour = colours_over(OWN_TRANSPORTS)


def tunnel(connection: socket.socket) -> None:
    """Open the tunnel, and end it."""
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    connection.recv(1)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_https_goes_through_the_proxy_of_the_environment(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The proxy is asked for a tunnel; name and password of its URL are sent to it, the token never is."""
    monkeypatch.setenv(variable, server.origin.replace("//", "//ada:p%40ss%C3%BC@"))
    server.answer = lambda _: tunnel

    with pytest.raises(NetworkError):
        call(make(base_url="https://elsewhere.invalid/v1", max_retries=0).users.get_me)

    (seen,) = server.seen
    assert (seen.method, seen.path) == ("CONNECT", "elsewhere.invalid:443")
    assert seen.headers["proxy-authorization"] == f"Basic {b64encode('ada:p@ssü'.encode()).decode()}"
    assert "authorization" not in seen.headers


def test_plain_http_uses_no_proxy(call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would see the token in the clear; an invalid variable does no harm either."""
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "ftp://nonsense:port")

    call(make(base_url=server.base_url.replace("127.0.0.1", "localhost")).users.get_me)

    assert server.seen[0].path == "/v1/me"


@pytest.mark.parametrize("no_proxy", ["elsewhere.invalid", "INVALID:443", "10.0.0.0/8, .invalid"])
def test_no_proxy_exempts_a_host(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    """Such a host is connected to directly, and the proxy's URL is not read."""
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:port")
    monkeypatch.setenv("NO_PROXY", no_proxy)

    with pytest.raises(NetworkError, match="no answer"):
        call(make(base_url="https://elsewhere.invalid/v1", max_retries=0).users.get_me)


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("ftp://user:canary@proxy:1", "HTTPS_PROXY is not the URL of a proxy"),
        ("http://user:canary@proxy:port", "HTTPS_PROXY is not the URL of a proxy"),
        ("http://user:canary#@proxy", "HTTPS_PROXY is not the URL of a proxy"),
        ("http:/user:canary@proxy:1", "HTTPS_PROXY is not the URL of a proxy"),
    ],
)
def test_an_invalid_proxy(call: Colour, make: Any, monkeypatch: pytest.MonkeyPatch, proxy: str, message: str) -> None:
    """The first call that needs it raises a ConfigurationError that names the variable, without the password."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    client = make(base_url="https://elsewhere.invalid/v1")

    with pytest.raises(ConfigurationError, match=message) as caught:
        call(client.users.get_me)

    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_proxy_whose_name_does_not_resolve(call: Colour, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, although it is an error of name resolution."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")

    with pytest.raises(NetworkError, match=r"no connection through the proxy: .* see HTTPS_PROXY"):
        call(make(base_url="https://elsewhere.invalid/v1", max_retries=0).users.get_me)


def test_certificates_of_the_environment(make: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSL_CERT_FILE chooses the authorities; a missing or invalid file is a ConfigurationError."""
    default = tls()
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert tls() is not default

    (tmp_path / "authorities.pem").write_text("none")
    for file in (tmp_path / "missing.pem", tmp_path / "authorities.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
            make()


@pytest.fixture
def own_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment select no certificate authorities, and let the next client read them."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("redcore._transport.tls._made", {})


@pytest.mark.usefixtures("own_authorities")
@pytest.mark.parametrize(
    ("variable", "path"),
    [("SSL_CERT_DIR", "/missing"), ("SSL_CERT_DIR", certifi.where()), ("SSLKEYLOGFILE", "/missing/file")],
)
def test_an_unusable_path(  # noqa: PLR0917 (fixtures)
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch, variable: str, path: str
) -> None:
    """The error names the variable, also that of the key log, which other programs set globally."""
    monkeypatch.setenv(variable, path)

    with pytest.raises(ConfigurationError, match=variable):
        call(make(base_url=f"https://127.0.0.1:{server.port}/v1").users.get_me)


def test_a_key_log_that_cannot_be_written_while_aiohttp_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes its TLS settings at that time."""
    monkeypatch.setenv("SSLKEYLOGFILE", "/missing/file")
    for name in [name for name in sys.modules if name.partition(".")[0] == "aiohttp" or "aiohttp_client" in name]:
        monkeypatch.delitem(sys.modules, name)

    with pytest.raises(ConfigurationError, match="SSLKEYLOGFILE"):
        AsyncClient(api_key="rk_test_1", transport="aiohttp")


@pytest.mark.usefixtures("own_authorities")
def test_authorities_that_are_not_installed(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a single-file program whose temporary folder was cleared: no retry helps."""
    monkeypatch.setattr(certifi, "where", lambda: "/missing/cacert.pem")

    with pytest.raises(ConfigurationError, match="reinstall certifi, or set SSL_CERT_FILE"):
        call(make(base_url=f"https://127.0.0.1:{server.port}/v1").users.get_me)


def test_clients_share_their_tls_settings() -> None:
    """Making TLS settings takes long: they are made once."""
    assert tls() is tls()
