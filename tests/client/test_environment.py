"""What the environment says about proxies and certificates."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import certifi
import pytest
from tests.client.colours import Colour
from tests.client.loopback import Loopback

from redcore import ConfigurationError
from redcore.transport import proxies
from redcore.transport.tls import tls

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_proxy_is_used(call: Colour, make: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to another host goes through the proxy of the environment."""
    monkeypatch.setenv("HTTP_PROXY", server.origin)

    call(make(base_url="http://elsewhere.localhost/v1").users.get_me)

    assert server.seen[0].path == "http://elsewhere.localhost/v1/me"


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
