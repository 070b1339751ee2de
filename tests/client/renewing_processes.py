"""Processes that find an expired token: all at once, each of their threads or tasks makes a call.

    python renewing_processes.py CACHE BASE_URL threads|tasks|hold NUMBER PROCESSES

CACHE is Python code that makes the cache. The program prints the access tokens that `on_token_refreshed` got in its
processes. These are forked from it, so that they share the time that imports take, but nothing else: the program makes
no cache and no client. With `hold` the program itself takes the lock, prints `ready` and keeps it until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

# Clients and caches import these when they are used, so each process would for itself.
import anyio.streams.tls  # noqa: F401
import redis.asyncio.cluster  # noqa: F401
from cryptography import fernet  # noqa: F401

from redcore import AsyncClient, Client, tokens
from redcore._telemetry import otel  # noqa: F401
from redcore._transport import direct_asyncio, direct_sync  # noqa: F401

TIMEOUT_S = 60


def main() -> int:
    """Do what the arguments say; return the exit code."""
    made, base_url, how, number, processes = sys.argv[1:]
    if how == "hold":
        hold(made, base_url)
    fork = multiprocessing.get_context("fork")
    gate, results = fork.Barrier(int(processes)), fork.SimpleQueue()
    calls = partial(in_threads if how == "threads" else in_tasks, number=int(number))
    arguments = (calls, made, base_url, gate, results)
    running = [fork.Process(target=renew, args=arguments) for _ in range(int(processes))]
    for process in running:
        process.start()
    for process in running:
        process.join()
    if any(process.exitcode != 0 for process in running):
        return 1
    print(json.dumps([token for _ in running for token in results.get()]))  # noqa: T201 (the test reads it)
    return 0


def hold(made: str, base_url: str) -> None:
    """Keep the lock."""
    options = options_of(made, base_url, [])
    assert options["token_cache"].try_lock(Client(**options)._engine.auth._key, 2.0)
    print("ready", flush=True)  # noqa: T201 (as above)
    time.sleep(60)


def renew(calls: Callable[[dict[str, Any]], None], made: str, base_url: str, gate: Barrier, results: Any) -> None:
    """Make the calls of one process, when all processes have started."""
    access_tokens: list[str] = []
    options = options_of(made, base_url, access_tokens)
    gate.wait(TIMEOUT_S)
    calls(options)
    results.put(access_tokens)


def options_of(made: str, base_url: str, access_tokens: list[str]) -> dict[str, Any]:
    """Return the options of a client with an expired token."""
    return {
        "base_url": base_url,
        "client_id": "app_1",
        "refresh_token": "refresh-1",
        "token_cache": eval(made, {"tokens": tokens}),  # noqa: S307 (the test's own)
        "on_token_refreshed": lambda pair: access_tokens.append(pair["access_token"]),
        "timeout": 10.0,
    }


def in_threads(options: dict[str, Any], number: int) -> None:
    """Make a call in each of so many threads."""
    with Client(**options) as client, ThreadPoolExecutor(number) as threads:
        for call in [threads.submit(client.users.get, "usr_1") for _ in range(number)]:
            call.result()


def in_tasks(options: dict[str, Any], number: int) -> None:
    """Make a call in each of so many tasks."""

    async def make_calls() -> None:
        async with AsyncClient(**options) as client:
            await asyncio.gather(*(client.users.get("usr_1") for _ in range(number)))

    asyncio.run(make_calls())


if __name__ == "__main__":
    sys.exit(main())
