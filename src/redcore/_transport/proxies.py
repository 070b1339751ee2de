"""Which proxy a host is reached through: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, as Python reads them."""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs
import httpcore

from redcore.exceptions import ConfigurationError

SCHEMES = ("http", "https", "socks5", "socks5h")
NOT_A_PROXY = "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is not the URL of a proxy"


@attrs.frozen
class Proxies:
    """The proxies of the environment, by the scheme of what is reached through them."""

    http: httpcore.Proxy | None
    https: httpcore.Proxy | None

    @classmethod
    def of_environment(cls) -> Proxies:
        """Read the variables.

        Raises:
            ConfigurationError: one is no URL of a proxy that can be used; it is not quoted, for it may hold a password.
        """
        told = getproxies()
        everywhere = told.get("all")
        return cls(_proxy(told.get("http", everywhere)), _proxy(told.get("https", everywhere)))

    def between(self, scheme: str, host: str) -> httpcore.Proxy | None:
        """The proxy for a host; None if it is reached directly."""
        proxy = self.https if scheme == "https" else self.http
        return None if proxy is None or proxy_bypass(host) else proxy


def _proxy(url: str | None) -> httpcore.Proxy | None:
    if not url:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(NOT_A_PROXY) from None
    if parts.scheme not in SCHEMES or not host:
        raise ConfigurationError(NOT_A_PROXY)
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError("the proxy of the environment cannot be used: it needs `pip install httpx[socks]`")
    # httpcore's socks5 lets the proxy resolve names, as socks5h means.
    scheme = "socks5" if parts.scheme.startswith("socks") else parts.scheme
    login = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    where = httpcore.URL(scheme=scheme, host=host, port=port, target="/")
    return httpcore.Proxy(where, auth=login)
