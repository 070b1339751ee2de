"""One of several processes that find an expired token: on a signal, each of its threads or tasks makes a call.

    python renewing_process.py CACHE BASE_URL threads|tasks|hold NUMBER

CACHE is Python code that makes the cache. The process prints `ready`, waits for a line, makes the calls, and prints
the access tokens that `on_token_refreshed` got. `hold` takes the lock and keeps it until the process is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from redcore import AsyncClient, Client, tokens


def main() -> None:
    """Do what the arguments say."""
    made, base_url, how, number = sys.argv[1:]
    cache = eval(made, {"tokens": tokens})  # noqa: S307 (the test's own)
    access_tokens: list[Any] = []
    options: dict[str, Any] = {
        "base_url": base_url,
        "client_id": "app_1",
        "refresh_token": "refresh-1",
        "token_cache": cache,
        "on_token_refreshed": lambda pair: access_tokens.append(pair["access_token"]),
        "timeout": 10.0,
    }
    if how == "hold":
        assert cache.try_lock(Client(**options)._engine.auth._key, 2.0)
    print("ready", flush=True)  # noqa: T201 (the test reads it)
    sys.stdin.readline()
    if how == "hold":
        time.sleep(60)
    elif how == "threads":
        in_threads(options, int(number))
    else:
        asyncio.run(in_tasks(options, int(number)))
    print(json.dumps(access_tokens), flush=True)  # noqa: T201 (as above)


def in_threads(options: dict[str, Any], number: int) -> None:
    """Make a call in each of so many threads."""
    with Client(**options) as client, ThreadPoolExecutor(number) as threads:
        for call in [threads.submit(client.users.get, "usr_1") for _ in range(number)]:
            call.result()


async def in_tasks(options: dict[str, Any], number: int) -> None:
    """Make a call in each of so many tasks."""
    async with AsyncClient(**options) as client:
        await asyncio.gather(*(client.users.get("usr_1") for _ in range(number)))


if __name__ == "__main__":
    main()
