"""Selects the proxy for an origin: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, or the system's settings.

`HTTP_PROXY` is not read. The SDK sends plain HTTP to loopback hosts only, and a proxy would see its tokens in clear
text (docs/adr/0040-proxies.md). The variables are read when an origin is first used, so that an invalid variable that
the SDK does not need causes no error.
"""

from __future__ import annotations

import ipaddress
import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit

import attrs

from redcore._transport.address import in_ascii
from redcore.exceptions import ConfigurationError

SCHEMES = {
    "http": "http",
    "https": "https",
    "socks": "socks5",  # GNOME's spelling
    "socks5": "socks5",  # the proxy resolves names, which is what socks5h means
    "socks5h": "socks5",
}

SYSTEM = "the proxy of the system's settings"


@attrs.frozen
class Proxy:
    """A proxy."""

    scheme: str
    """`http`, `https` or `socks5`."""
    host: str
    """An ASCII name, or an IP address without brackets."""
    port: int | None
    """None means the scheme's default port."""
    login: tuple[bytes, bytes] | None = attrs.field(repr=False)
    """User name and password."""

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS 5."""
        return self.scheme == "socks5"

    @property
    def authorization(self) -> dict[str, str]:
        """The `Proxy-Authorization` header for an HTTP proxy."""
        return (
            {} if self.login is None else {"Proxy-Authorization": f"Basic {b64encode(b':'.join(self.login)).decode()}"}
        )


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for an origin; None to connect directly.

    Args:
        scheme: `http` or `https`.
        host: An ASCII name, or an IP address without brackets.
        port: TCP port.

    Raises:
        ConfigurationError: a variable does not contain the URL of a supported proxy. The message names the variable
            without quoting its value, which may contain a password.
    """
    if scheme == "http":
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 (a twelfth of what a first call imports)

    settings = getproxies()
    kind = _kind(settings)
    if kind is None or bypasses(settings.get("no", ""), host, port) or proxy_bypass(host):
        return None
    return _parsed(settings[kind].strip(), _name_of(kind))


def source() -> str:
    """Where the proxy comes from, for messages: the name of a variable, or the system's settings."""
    from urllib.request import getproxies  # noqa: PLC0415 (as above)

    kind = _kind(getproxies())
    return SYSTEM if kind is None else _name_of(kind)


def _kind(settings: Mapping[str, str]) -> str | None:
    """Which of the settings applies to https."""
    return next((kind for kind in ("https", "all") if settings.get(kind, "").strip()), None)


def _name_of(kind: str) -> str:
    names = (f"{kind}_proxy", f"{kind.upper()}_PROXY")  # in the order of their precedence
    return next((name for name in names if os.environ.get(name, "").strip()), SYSTEM)


# NO_PROXY ------------------------------------------------------------------------------------


def bypasses(no_proxy: str, host: str, port: int) -> bool:
    """Whether `NO_PROXY` exempts a host; supports every form that curl, requests or Go's net/http support.

    These are `*`; a name, which includes its subdomains, also written `.name` or `*.name`; an IP address, with or
    without brackets; a network in CIDR notation; each optionally with a port. Commas or white space separate them.
    """
    host = host.lower().rstrip(".")
    return any(
        entry == "*" or (only_port in {None, port} and _covers(entry, host)) for entry, only_port in _entries(no_proxy)
    )


def _entries(no_proxy: str) -> Iterator[tuple[str, int | None]]:
    """Yield each entry with its port, if any."""
    for entry in re.split(r"[\s,]+", no_proxy.lower()):
        host, colon, port = entry.rpartition(":")
        has_port = bool(colon) and port.isdecimal() and (":" not in host or host.endswith("]"))
        yield (host, int(port)) if has_port else (entry, None)


def _covers(entry: str, host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = entry.removeprefix("*").strip(".")
        return bool(name) and f".{host}".endswith(f".{_ascii(name)}")
    try:
        network = ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address) in network


def _ascii(name: str) -> str:
    try:
        return in_ascii(name)
    except UnicodeError:
        return name


# The URL -------------------------------------------------------------------------------------


def _parsed(url: str, variable: str) -> Proxy:
    wrong = ConfigurationError(
        f"{variable} is not the URL of a proxy, as in http://user:password@host:3128 or socks5://host:1080; "
        "percent-encode what is special in the password"
    )
    try:
        parts = urlsplit(url if "://" in url else f"http://{url.lstrip('/')}")
        host, port = in_ascii(unquote(parts.hostname or "")), parts.port  # `%25` before an IPv6 zone
    except ValueError:  # not chained: its message may contain the password
        raise wrong from None
    scheme = SCHEMES.get(parts.scheme)
    is_host = bool(host) and host.isprintable() and " " not in host and ("://" in url or "/" not in url.strip("/"))
    if scheme is None or not is_host or port == 0 or "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise wrong
    return Proxy(scheme, host, port, _login(parts))


def _login(parts: SplitResult) -> tuple[bytes, bytes] | None:
    """User name and password of a URL; None if it has neither."""
    if parts.username is None:
        return None
    return unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
