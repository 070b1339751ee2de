"""A contestant in a process of its own: it does slices of work on request, and prints the cost of one call.

    python benchmarks/worker.py peers.WorkOS http://127.0.0.1:1234

It reads a line `[method, times, tasks]`, and prints `[CPU seconds, seconds]`; each of the tasks does so many calls.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from inspect import iscoroutinefunction
from typing import IO, Any, NamedTuple

import attrs


class Cost(NamedTuple):
    """The cost of one call."""

    cpu_s: float
    wall_s: float


@attrs.frozen
class Worker:
    """The process, seen from the benchmark."""

    contestant: str
    tells: IO[str]
    replies: IO[str]

    def do(self, method: str, times: int, tasks: int = 1) -> Cost:
        """Run a slice of work."""
        print(json.dumps([method, times, tasks]), file=self.tells, flush=True)
        return Cost(*json.loads(self.hear()))

    def hear(self) -> str:
        """Read its next line."""
        if not (line := self.replies.readline()):
            raise SystemExit(f"{self.contestant} failed; its error is above")
        return line


@contextmanager
def start(contestant: str, origin: str) -> Generator[Worker]:
    """Run a contestant; it is killed at the end, as it holds nothing to clean up."""
    command = [sys.executable, __file__, contestant, origin]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own)
        assert process.stdin is not None  # noqa: S101 (they are pipes)
        assert process.stdout is not None  # noqa: S101 (as above)
        worker = Worker(contestant, process.stdin, process.stdout)
        try:
            worker.hear()
            yield worker
        finally:
            process.kill()


async def work(call: Callable[[], Any], times: int, tasks: int) -> Cost:
    """Do the work, and measure it."""

    async def repeat() -> None:
        for _ in range(times):
            await call()

    cpu, wall = time.process_time(), time.perf_counter()
    if iscoroutinefunction(call):
        await asyncio.gather(*(repeat() for _ in range(tasks)))
    else:
        for _ in range(times):
            call()
    done = times * tasks
    return Cost((time.process_time() - cpu) / done, (time.perf_counter() - wall) / done)


async def serve(contestant: str, origin: str) -> None:
    """Do what standard input says."""
    module, _, name = contestant.partition(".")
    made = getattr(import_module(module), name)(origin)
    print("ready", flush=True)
    for line in sys.stdin:  # the event loop has nothing to do meanwhile
        method, times, tasks = json.loads(line)
        print(json.dumps(await work(getattr(made, method), times, tasks)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
