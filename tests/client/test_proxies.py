"""The proxy for an origin: the forms of `NO_PROXY`, and of a proxy's URL."""

from __future__ import annotations

import pytest

from redcore import ConfigurationError
from redcore._transport.proxies import Proxy, bypasses, proxy_for

HOST = "api.blueround.com"


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("*", HOST),
        ("other.example, *", HOST),
        (HOST, HOST),
        ("API.BlueRound.com", HOST),
        ("blueround.com", HOST),
        (".blueround.com", HOST),
        ("*.blueround.com", HOST),
        (".api.blueround.com", HOST),
        ("blueround.com.", HOST),
        ("blueround.com", f"{HOST}."),
        (f"{HOST}:443", HOST),
        ("blueround.com:443", HOST),
        ("other.example,blueround.com", HOST),
        ("other.example blueround.com", HOST),
        ("other.example ,\n\tblueround.com,", HOST),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("fe80::/10", "fe80::1%25eth0"),
        ("[fe80::1%25eth0]", "fe80::1%25eth0"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:443", "10.1.2.3"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.1.2.9/8", "10.1.2.3"),
        ("10.0.0.0/8", "::ffff:10.1.2.3"),
        ("::1/64", "::1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:443", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("fd00::/8", "fd12::3"),
        ("[fd00::]/8", "fd12::3"),
    ],
)
def test_no_proxy_exempts(no_proxy: str, host: str) -> None:
    """Every form that curl, requests or Go accept, in any case, with any separators."""
    assert bypasses(no_proxy, host, 443)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", HOST),
        (" , ", HOST),
        (".", HOST),
        ("*.", HOST),
        ("round.com", HOST),
        ("api.blueround.com.evil.example", HOST),
        (f"{HOST}:8443", HOST),
        ("10.1.2.3:80", "10.1.2.3"),
        ("10.0.0.0/8", "11.1.2.3"),
        ("10.0.0.0/99", "10.1.2.3"),
        ("10.0.0.0/8", "10.example"),
        ("2.3", "10.1.2.3"),
        ("[::1]:80", "::1"),
        ("::1", "10.1.2.3"),
    ],
)
def test_no_proxy_does_not_exempt(no_proxy: str, host: str) -> None:
    """A name matches from a dot on, a network matches addresses only, and a port exactly."""
    assert not bypasses(no_proxy, host, 443)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy:3128", Proxy("http", "proxy", 3128, None)),
        ("proxy:3128", Proxy("http", "proxy", 3128, None)),
        ("//proxy:3128/", Proxy("http", "proxy", 3128, None)),
        (" HTTP://PROXY \n", Proxy("http", "proxy", None, None)),
        ("https://[2001:db8::1]:8443", Proxy("https", "2001:db8::1", 8443, None)),
        ("http://[fe80::1%25eth0]:3128", Proxy("http", "fe80::1%eth0", 3128, None)),
        ("http://bücher.example", Proxy("http", "xn--bcher-kva.example", None, None)),
        ("http://faß.example", Proxy("http", "xn--fa-hia.example", None, None)),
        ("ada:secret@proxy:3128", Proxy("http", "proxy", 3128, (b"ada", b"secret"))),
        ("http://ada@proxy", Proxy("http", "proxy", None, (b"ada", b""))),
        ("http://ada:a:b@c@proxy", Proxy("http", "proxy", None, (b"ada", b"a:b@c"))),
        ("http://corp%5Cada:%C3%BC%23+%2B@proxy", Proxy("http", "proxy", None, (rb"corp\ada", "ü#++".encode()))),
    ],
)
def test_urls_of_proxies(monkeypatch: pytest.MonkeyPatch, url: str, proxy: Proxy) -> None:
    """Every form that curl, requests and Go accept: no scheme, names of any script, percent-encoded logins."""
    monkeypatch.setenv("https_proxy", url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert proxy_for("https", HOST, 443) == proxy


def test_a_blank_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what a shell leaves of an unset one; the next variable counts."""
    monkeypatch.setenv("https_proxy", " ")
    monkeypatch.setenv("all_proxy", "http://proxy:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert proxy_for("https", HOST, 443) == Proxy("http", "proxy", 3128, None)


@pytest.mark.parametrize("scheme", ["socks", "socks5", "socks5h", "SOCKS"])
def test_socks_proxies(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """`socks://`, as GNOME writes it, is SOCKS 5."""
    monkeypatch.setenv("https_proxy", f"{scheme}://proxy:1080")

    assert proxy_for("https", HOST, 443) == Proxy("socks5", "proxy", 1080, None)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://proxy",
        "socks4://proxy",
        "http://",
        "http://proxy:99999",
        "http://ada:12#34@proxy",
        "http://[::1",
        "::1",
        "http://a b:1",
        "http://a%00b:1",
        "http://proxy:0",
        "'http://proxy:1'",
    ],
)
def test_invalid_urls(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A password with a bare `#`, `/` or `?` would otherwise silently name another host."""
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.setenv("all_proxy", url)

    with pytest.raises(ConfigurationError, match="all_proxy is not the URL of a proxy"):
        proxy_for("https", HOST, 443)
