"""The way to the platform: name, proxy, connection, certificate, clock, health. Sends no credentials."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urlsplit

from redcore._transport import open_transport
from redcore._transport.proxies import Proxy, proxy_for
from redcore._transport.tls import tls
from redcore._wire.encoding import Request
from redcore.cli.doctor.finding import Finding
from redcore.cli.state import State, origin_of
from redcore.exceptions import ConfigurationError, RedcoreError

TIMEOUT_S = 10.0
"""What each step may take: longer than any of them needs, short enough to wait for."""
CLOCK_WARNING_S = 30.0
"""The SDK renews tokens this early (redcore.tokens), so a smaller difference does no harm."""
CLOCK_FAILURE_S = 300.0
"""The usual tolerance for signed assertions and tokens of other systems."""
CERTIFICATE_WARNING_DAYS = 14  # renewal usually happens 30 days before the end: it has failed by then


def network_checks(state: State) -> Iterator[Finding]:
    """Yield what is found on the way, until something stops it."""
    parts = urlsplit(state.base_url.value or "")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        proxy = proxy_for(parts.scheme, host, port)
    except ConfigurationError as problem:
        yield Finding("proxy", "failure", problem.message, "Set the variable to the URL of a proxy, or unset it.")
        return
    if proxy is not None:
        yield Finding("proxy", "ok", f"calls go through {named(proxy)}; NO_PROXY takes hosts out of it")
    else:
        yield (found := resolved(host, port))
        if found.level == "failure":
            return
        yield (found := connected(host, port))
        if found.level == "failure":
            return
        if parts.scheme == "https":
            yield (found := certified(host, port))
            if found.level == "failure":
                return
    yield from healthy(origin_of(state.base_url.value or ""), proxy)


def named(proxy: Proxy) -> str:
    """Return the URL of a proxy, without user and password."""
    return f"{proxy.scheme}://{proxy.host}{f':{proxy.port}' if proxy.port else ''}"


def resolved(host: str, port: int) -> Finding:
    """Look the name up."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as problem:
        return Finding("name", "failure", f"{host}: {problem.strerror}", "Check the address, the network and DNS.")
    addresses = sorted({str(entry[4][0]) for entry in found})
    return Finding("name", "ok", f"{host} is {', '.join(addresses)}")


def connected(host: str, port: int) -> Finding:
    """Open a connection."""
    began = time.perf_counter()
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_S).close()
    except OSError as problem:
        reason = problem.strerror or str(problem)
        advice = "Check that the address is right and that no firewall is in between."
        return Finding("connection", "failure", f"{host}:{port}: {reason}", advice)
    return Finding("connection", "ok", f"{host}:{port} in {(time.perf_counter() - began) * 1000:.0f} ms")


def certified(host: str, port: int) -> Finding:
    """Look at the certificate, as calls do: by the certificate authorities that the SDK trusts."""
    try:
        with (
            socket.create_connection((host, port), timeout=TIMEOUT_S) as raw,
            tls().wrap_socket(raw, server_hostname=host) as secured,
        ):
            certificate = cast("dict[str, Any]", secured.getpeercert())
            protocol = secured.version()
    except ssl.SSLCertVerificationError as problem:
        advice = "If a proxy of your company signs certificates, set SSL_CERT_FILE to its authority."
        return Finding("certificate", "failure", problem.verify_message, advice)
    except OSError as problem:
        return Finding("certificate", "failure", problem.strerror or str(problem), "Is it an https address?")
    names = ", ".join(value for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "IP Address"})
    ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    days = (ends - time.time()) / 86_400
    detail = f"for {names}, until {datetime.fromtimestamp(ends, UTC):%Y-%m-%d}, {protocol}"
    if days < CERTIFICATE_WARNING_DAYS:
        return Finding("certificate", "warning", detail, f"It ends in {days:.0f} days.")
    return Finding("certificate", "ok", detail)


def healthy(origin: str, proxy: Proxy | None) -> Iterator[Finding]:
    """Ask the platform for its health, and compare its clock with ours."""
    through = None if proxy is None else named(proxy)
    request = Request(operation="health", method="GET", url=f"{origin}/healthz", headers={})
    try:
        with closing(open_transport(None)) as transport:
            answer = transport.send(request, TIMEOUT_S)
    except RedcoreError as problem:
        advice = (
            f"Does the proxy {through} let requests to {origin} pass?" if through else "Is it an address of the API?"
        )
        yield Finding("health", "failure", f"{request.url}: {problem.message}", advice)
        return
    if answer.status_code == 503:
        yield Finding("health", "failure", "the platform is not available (503)", "Try again later.")
    elif answer.status_code != 200 or "x-request-id" not in answer.headers:
        advice = f"Does the proxy {through} answer in its place?" if through else "Is it an address of the API?"
        yield Finding(
            "health", "failure", f"{origin}/healthz answers {answer.status_code}, not as the API does", advice
        )
    else:
        yield Finding("health", "ok", f"{origin} lives")
    if "date" in answer.headers:
        yield clock(answer.headers["date"], time.time())


def clock(date: str, now: float) -> Finding:
    """Compare the clocks."""
    try:
        difference = now - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding("clock", "warning", f"the server's date is not one: {date!r}")
    detail = f"{abs(difference):.0f} s {'ahead of' if difference > 0 else 'behind'} the server's"
    if abs(difference) >= CLOCK_FAILURE_S:
        return Finding("clock", "failure", detail, "Set the clock of this machine: tokens are renewed by it.")
    if abs(difference) >= CLOCK_WARNING_S:
        return Finding("clock", "warning", detail, "Set the clock of this machine.")
    return Finding("clock", "ok", detail)
