"""Shared code of the server's benchmarks: endpoints under load, in turns with a yardstick.

The endpoints are measured in short turns, round after round, so that other load on the machine affects all alike;
the results are the medians of the rates and of the rounds' ratios. The load is a fixed number of connections, each
with one request after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs

LENGTH = b"content-length: "


@attrs.frozen(kw_only=True)
class Turn:
    """The result of an endpoint under load for a while."""

    rate: float
    """Answers per second."""
    p99_s: float
    """The 99th percentile of the seconds until an answer."""


@attrs.frozen
class Subject:
    """One endpoint under load, and the only request that is sent to it."""

    name: str
    host: str
    port: int
    request: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, name: str, origin: str, line: str, headers: Mapping[str, str], body: str = "") -> Subject:
        """Return the endpoint at an origin, called with a request line such as `GET /healthz`."""
        parts = urlsplit(origin)
        named = {"Host": parts.netloc, **headers, "Content-Length": str(len(body))}
        lines = [f"{line} HTTP/1.1", *(f"{header}: {value}" for header, value in named.items())]
        return cls(name, parts.hostname or "", parts.port or 0, "\r\n".join([*lines, "", body]).encode())

    async def turn(self, connections: int, seconds: float) -> Turn:
        """Load it for a while."""
        start = time.perf_counter()
        taken = await asyncio.gather(*(self._load(start + seconds) for _ in range(connections)))
        latencies = [each for connection in taken for each in connection]
        rate = len(latencies) / (time.perf_counter() - start)
        return Turn(rate=rate, p99_s=statistics.quantiles(latencies, n=100)[98])

    async def _load(self, end: float) -> list[float]:
        # Not an HTTP client: it would cost more than the server under test.
        reader, writer = await asyncio.open_connection(self.host, self.port)
        taken: list[float] = []
        try:
            while (start := time.perf_counter()) < end:
                writer.write(self.request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if not head.startswith(b"http/1.1 200"):
                    raise SystemExit(f"{self.name}: {head.splitlines()[0].decode()}")
                length = head.partition(LENGTH)[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                taken.append(time.perf_counter() - start)
        finally:
            writer.close()
        return taken


def arguments(description: str | None) -> argparse.Namespace:
    """Parse the command line of a benchmark."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--connections", type=int, default=16, help="of `auth.py`; `users.py` has its own")
    return parser.parse_args()


@contextmanager
def serving(script: str, **environment: str) -> Iterator[str]:
    """Run a yardstick, a script beside this one that prints its address; yield its origin."""
    command = [sys.executable, str(Path(__file__).with_name(script))]
    with subprocess.Popen(  # noqa: S603 (our own)
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            yield process.stdout.readline().removeprefix("ready ").strip()
        finally:
            process.terminate()


def turns(subjects: Sequence[Subject], connections: int, given: argparse.Namespace) -> list[Sequence[Turn]]:
    """Load all in turns, round after round; return the turns of each."""
    # One more round, the first, which does not count.
    rounds = [
        [asyncio.run(subject.turn(connections, given.seconds)) for subject in subjects] for _ in range(given.rounds + 1)
    ]
    return list(zip(*rounds[1:], strict=True))


def compare(yardstick: Subject, subjects: Sequence[Subject], goal: float, given: argparse.Namespace) -> None:
    """Measure all in turns and print the rates, and the ratios of the subjects to the yardstick."""
    bare, *others = turns([yardstick, *subjects], given.connections, given)
    print(f"{yardstick.name}: {statistics.median(turn.rate for turn in bare):.0f}/s")
    for subject, taken in zip(subjects, others, strict=True):
        ratio = statistics.median(turn.rate / other.rate for turn, other in zip(taken, bare, strict=True))
        rate = statistics.median(turn.rate for turn in taken)
        print(f"{subject.name}: {rate:.0f}/s, ratio {ratio:.2f} (goal {goal})")
