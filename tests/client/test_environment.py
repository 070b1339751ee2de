"""What the environment says about proxies and certificates."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import certifi
import pytest
from tests.client.colours import COLOURS, Colour
from tests.client.conftest import named
from tests.client.loopback import Loopback, Reply

from redcore import ConfigurationError, NetworkError
from redcore._transport import proxies
from redcore._transport.tls import tls

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=[*COLOURS, ("asyncio", "aiohttp")], ids=named)
def colour(request: pytest.FixtureRequest) -> tuple[str, str | None]:
    chosen: tuple[str, str | None] = request.param
    return chosen


def test_a_proxy_is_used(call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to another host goes through the proxy of the environment."""
    monkeypatch.setenv("HTTP_PROXY", server.origin)

    call(make(base_url="http://elsewhere.localhost/v1").users.get_me)

    assert server.seen[0].path == "http://elsewhere.localhost/v1/me"


def test_a_proxy_that_asks_who_is_there(
    call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name and password of the proxy's URL go to the proxy, and never what goes through its tunnel."""
    monkeypatch.setenv("HTTPS_PROXY", server.origin.replace("//", "//ada:p%40ss@"))
    server.answer = lambda _: Reply(502)

    with pytest.raises(NetworkError):
        call(make(base_url="https://elsewhere.example/v1", max_retries=0).users.get_me)

    seen = server.seen[0]
    assert (seen.method, seen.path) == ("CONNECT", "elsewhere.example:443")
    assert seen.headers["proxy-authorization"] == "Basic YWRhOnBAc3M="
    assert "authorization" not in seen.headers


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("ftp://user:canary@proxy:1", "is not the URL of a proxy"),
        ("http://user:canary@proxy:port", "is not the URL of a proxy"),
        ("socks5://user:canary@proxy:1", "proxy of the environment cannot be used"),
    ],
)
def test_a_proxy_that_cannot_be_used(make: Any, monkeypatch: pytest.MonkeyPatch, proxy: str, told: str) -> None:
    """It is a ConfigurationError that names the variables, without the password."""
    monkeypatch.setattr(proxies, "find_spec", lambda _: None)  # no socksio
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(ConfigurationError, match=told) as caught:
        make()

    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_certificates_of_the_environment(make: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSL_CERT_FILE chooses the authorities; one that is missing or no certificate is a ConfigurationError."""
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
