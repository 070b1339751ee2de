"""Parsers of setting values: each takes the text of a variable, and raises a ValueError that never quotes it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

_HOST_OPTIONAL = frozenset({"postgresql", "postgres", "unix", "file"})  # for libpq an empty host means the local socket
_SEVERAL_HOSTS = frozenset({"postgresql", "postgres", "redis+cluster", "rediss+cluster"})


def integer(least: int, most: int) -> Callable[[str], int]:
    """Make the parser of a whole number within bounds."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Make the parser of one of some words, in any case."""

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text.lower()

    return parse


def switch(text: str) -> bool:
    """Parse a switch."""
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be true or false")


def url(*schemes: str) -> Callable[[str], str]:
    """Make the parser of a URL with one of some schemes."""

    def parse(text: str) -> str:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(text)
            hosts = hosts_of(text)
        except ValueError:
            raise ValueError(f"is not a valid {expected} URL") from None
        if parts.scheme not in schemes:
            raise ValueError(f"must start with {expected}")
        if not all(host for host, _ in hosts or [("", None)]) and parts.scheme not in _HOST_OPTIONAL:
            raise ValueError("names no host")
        if len(hosts) > 1 and parts.scheme not in _SEVERAL_HOSTS:
            raise ValueError("names more than one host")
        if "@" in parts.path + parts.query + parts.fragment:
            # What looks like host and port would be user and password, and messages show host and port.
            raise ValueError("has / ? or # in its user or password; percent-encode them")
        return text

    return parse


def hosts_of(url: str) -> list[tuple[str, int | None]]:
    """Return the hosts of a URL with their ports: `scheme://user:password@one:1,two:2/path`, as libpq writes them.

    Args:
        url: A URL; without a host the result is empty.

    Raises:
        ValueError: A port is not a number from 0 to 65535.
    """
    _, _, hosts = urlsplit(url).netloc.rpartition("@")
    single = [urlsplit(f"//{host}") for host in hosts.split(",") if host]
    return [(unquote(parts.hostname or ""), parts.port) for parts in single]


def origin(text: str) -> str:
    """Parse scheme, host and port."""
    parts = urlsplit(url("http", "https")(text))
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an origin such as https://api.example.com, without path or user")
    return text.rstrip("/")


def separated(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Make the parser of values separated by commas."""
    return lambda text: tuple(parse(part.strip()) for part in text.split(",") if part.strip())


def network(text: str) -> str:
    """Parse an address or a network."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("must be addresses such as 10.0.0.7 or networks such as 10.0.0.0/8") from None


def path(text: str) -> Path:
    """Parse a path, relative to the working directory."""
    return Path(text).expanduser().absolute()
