"""A contestant in a process of its own: it does a slice of work when told to, and says what one time of it cost.

    python benchmarks/worker.py peers.WorkOS http://127.0.0.1:1234

It is told `[method, times, tasks]` a line, and says `[CPU seconds, seconds]`; each of the tasks does it so many times.
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
    """What doing something once cost."""

    cpu_s: float
    wall_s: float


@attrs.frozen
class Worker:
    """The process, seen from where it is told what to do."""

    contestant: str
    tells: IO[str]
    replies: IO[str]

    def do(self, method: str, times: int, tasks: int = 1) -> Cost:
        """Have a slice of work done."""
        print(json.dumps([method, times, tasks]), file=self.tells, flush=True)
        return Cost(*json.loads(self.hear()))

    def hear(self) -> str:
        """What it says next."""
        if not (line := self.replies.readline()):
            raise SystemExit(f"{self.contestant} failed; its error is above")
        return line


@contextmanager
def start(contestant: str, origin: str) -> Generator[Worker]:
    """Run a contestant; it is ended without a chance to clean up, as nothing of it will be used again."""
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
    """Do it, and take the time of it."""

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
