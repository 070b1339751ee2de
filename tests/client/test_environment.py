"""Variables of the environment for proxies and certificates."""

from __future__ import annotations

import socket
import traceback
from base64 import b64encode
from pathlib import Path
from typing import Any

import certifi
import pytest
from tests.client.colours import OWN_TRANSPORTS, Colour
from tests.client.conftest import named
from tests.client.loopback import Loopback

from redcore import ConfigurationError, NetworkError
from redcore._transport.tls import tls

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=OWN_TRANSPORTS, ids=named)
def colour(request: pytest.FixtureRequest) -> tuple[str, str | None]:
    chosen: tuple[str, str | None] = request.param
    return chosen


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
    ],
)
def test_an_invalid_proxy(call: Colour, make: Any, monkeypatch: pytest.MonkeyPatch, proxy: str, message: str) -> None:
    """The first call that needs it raises a ConfigurationError that names the variable, without the password."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    client = make(base_url="https://elsewhere.invalid/v1")

    with pytest.raises(ConfigurationError, match=message) as caught:
        call(client.users.get_me)

    assert "canary" not in "".join(traceback.format_exception(caught.value))


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


def test_clients_share_their_tls_settings() -> None:
    """Making TLS settings takes long: they are made once."""
    assert tls() is tls()
