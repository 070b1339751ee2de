"""Measures tokens and introspections a second of one reference server, as ratios to an endpoint that only signs a JWT.

The three are measured in short turns, round after round, so that whatever else the machine does hits all alike; what
is told are the medians of the rates and of the rounds' ratios. The load is a fixed number of connections, each with one
request after the other.

    python benchmarks/auth.py [--rounds 15] [--seconds 1] [--connections 16]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import attrs
import httpx

from redcore.testing import ReferenceServer

GOAL = 0.3
FORM = "application/x-www-form-urlencoded"
# All requests come from one address.
NO_LIMITS = {f"REDCORE_SERVER_ANONYMOUS_PER_{unit}": str(10**6) for unit in ("MINUTE", "SECOND")}
LENGTH = b"content-length: "


@attrs.frozen
class Subject:
    """One endpoint under load, and the only request that is sent to it."""

    name: str
    host: str
    port: int
    request: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, name: str, origin: str, path: str, form: dict[str, str], auth: str) -> Subject:
        """The endpoint at an origin, asked with a form."""
        body = urlencode(form)
        basic = base64.b64encode(auth.encode()).decode()
        parts = urlsplit(origin)
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Authorization: Basic {basic}",
            f"Content-Type: {FORM}",
            f"Content-Length: {len(body)}",
        ]
        request = "\r\n".join([*lines, "", body]).encode()
        return cls(name, parts.hostname or "", parts.port or 0, request)

    async def rate(self, connections: int, seconds: float) -> float:
        """Answers a second."""
        end = time.perf_counter() + seconds
        start = time.perf_counter()
        counts = await asyncio.gather(*(self._load(end) for _ in range(connections)))
        return sum(counts) / (time.perf_counter() - start)

    async def _load(self, end: float) -> int:
        # Not an HTTP client: it would cost more than what it measures.
        reader, writer = await asyncio.open_connection(self.host, self.port)
        count = 0
        try:
            while time.perf_counter() < end:
                writer.write(self.request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if not head.startswith(b"http/1.1 200"):
                    raise SystemExit(f"{self.name}: {head.splitlines()[0].decode()}")
                length = head.partition(LENGTH)[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                count += 1
        finally:
            writer.close()
        return count


@contextmanager
def signer() -> Iterator[str]:
    """Run the endpoint that only signs; yields its origin."""
    script = Path(__file__).with_name("signer.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own)
        try:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            yield process.stdout.readline().removeprefix("ready ").strip()
        finally:
            process.terminate()


def subjects(server: ReferenceServer, bare: str) -> list[Subject]:
    """The yardstick first, then what is measured against it."""
    told = server.environment
    client_id, secret = told["REDCORE_CLIENT_ID"], told["REDCORE_CLIENT_SECRET"]
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    address = f"{server.origin}/oauth/token"
    answer = httpx.post(address, data=form, auth=(client_id, secret), trust_env=False).raise_for_status()
    seen = {"token": answer.json()["access_token"]}
    auth = f"{client_id}:{secret}"
    return [
        Subject.of("a bare endpoint that signs", bare, "/oauth/token", form, auth),
        Subject.of("client-credentials tokens", server.origin, "/oauth/token", form, auth),
        Subject.of("introspections", server.origin, "/oauth/introspect", seen, auth),
    ]


def measure(measured: list[Subject], rounds: int, seconds: float, connections: int) -> list[list[float]]:
    """The rates of each by round, after one round that does not count."""
    by_round = [[asyncio.run(subject.rate(connections, seconds)) for subject in measured] for _ in range(rounds + 1)]
    return [list(rates) for rates in zip(*by_round[1:], strict=True)]


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    with signer() as bare, ReferenceServer(lab=False, settings=NO_LIMITS) as server:
        measured = subjects(server, bare)
        yardstick, *others = measure(measured, given.rounds, given.seconds, given.connections)
    print(f"{measured[0].name}: {statistics.median(yardstick):.0f}/s")
    for subject, rates in zip(measured[1:], others, strict=True):
        ratio = statistics.median(rate / bare_rate for rate, bare_rate in zip(rates, yardstick, strict=True))
        print(f"{subject.name}: {statistics.median(rates):.0f}/s, ratio {ratio:.2f} (goal {GOAL})")


if __name__ == "__main__":
    main()
