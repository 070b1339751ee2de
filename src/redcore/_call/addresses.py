"""The addresses of the API and of the OAuth endpoints, from arguments and environment. Secrets go to no others."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from redcore._call.arguments import ClientArguments
from redcore.exceptions import ConfigurationError

ENVIRONMENTS = {
    "production": "https://api.blueround.com/v1",
    "staging": "https://api.blueround.dev/v1",
}


def chosen_url(given: ClientArguments, env: Mapping[str, str]) -> tuple[str, str]:
    """The name of the setting that determines the API's URL, and the URL."""
    if given.base_url is not None:
        return "base_url", given.base_url
    if given.environment is not None:
        return environment_url("environment", given.environment)
    if env.get("REDCORE_BASE_URL"):
        return "REDCORE_BASE_URL", env["REDCORE_BASE_URL"]
    return environment_url("REDCORE_ENVIRONMENT", env.get("REDCORE_ENVIRONMENT") or "production")


def environment_url(name: str, value: str) -> tuple[str, str]:
    """The URL of an environment, with the setting that named it."""
    if value not in ENVIRONMENTS:
        raise ConfigurationError(f"{name} must be one of {', '.join(ENVIRONMENTS)}; got {value!r}")
    return name, ENVIRONMENTS[value]


def chosen_origin(given: ClientArguments, env: Mapping[str, str], base_url: str) -> str:
    if given.auth_url is not None:
        return checked_origin("auth_url", given.auth_url)
    if env.get("REDCORE_AUTH_URL"):
        return checked_origin("REDCORE_AUTH_URL", env["REDCORE_AUTH_URL"])
    return origin(base_url)


def checked_url(name: str, url: str) -> str:
    """Return the URL without a trailing slash.

    Raises:
        ConfigurationError: it is not a URL that a client may send secrets to.
    """
    parts = split(name, url)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{name} must not hold a user name or password; use api_key or client_id")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ConfigurationError(f"{name} must not have a query or a fragment")
    if parts.scheme not in {"https", "http"}:
        raise ConfigurationError(f"{name} must begin with https://, as in https://api.blueround.com/v1")
    if not parts.hostname:
        raise ConfigurationError(f"{name} has no host; it looks like https://api.blueround.com/v1")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError(f"{name} must use https: plain http is for loopback hosts such as 127.0.0.1 only")
    return url.rstrip("/")


def checked_origin(name: str, url: str) -> str:
    """Like `checked_url`, for a URL that must not have a path; raises as it does."""
    checked = checked_url(name, url)
    if urlsplit(checked).path:
        raise ConfigurationError(f"{name} must be an origin, without a path, as in https://api.blueround.com")
    return checked


def split(name: str, url: str) -> SplitResult:
    """Split a URL, whose error message must not quote it: it may hold a password.

    Raises:
        ConfigurationError: it is malformed.
    """
    malformed = ConfigurationError(f"{name} is not a URL; it looks like https://api.blueround.com/v1")
    if url and not url.isascii():
        raise ConfigurationError(f"{name} is not a URL: write its host as in DNS, such as xn--bcher-kva.example")
    if not url or any(c == "\\" or not "!" <= c <= "~" for c in url):
        raise malformed
    try:
        parts = urlsplit(url)
        is_reachable = parts.port != 0  # `urlsplit` validates the port only on access, and allows 0
        (parts.hostname or "").encode("idna")  # as name resolution does, which has no clear error for an invalid name
    except ValueError:  # not chained: its message quotes what may be a password
        raise malformed from None
    if not is_reachable:
        raise malformed
    return parts


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
