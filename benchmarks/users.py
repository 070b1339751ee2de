"""Measures `GET /v1/users/{id}` of one reference server, as a ratio to a handler that only runs the same SQL.

It asks with an access token: gateway, auth and PostgreSQL all have their part. Tells the 99th percentile of both under
many connections besides.

python benchmarks/users.py [--rounds 15] [--seconds 1] [--connections 16]
"""

from __future__ import annotations

import asyncio
import statistics

import httpx

from load import Subject, arguments, compare, serving
from redcore.testing import ReferenceServer
from redcore_server.data_folder import read_runtime

GOAL = 0.5
MANY = 100
MANY_S = 10.0
# All requests are of one credential.
NO_LIMITS = {f"REDCORE_SERVER_ENTERPRISE_PER_{unit}": str(10**6) for unit in ("MINUTE", "SECOND")}


def bearer(server: ReferenceServer) -> dict[str, str]:
    """The headers of a request with an access token."""
    told = server.environment
    auth = (told["REDCORE_CLIENT_ID"], told["REDCORE_CLIENT_SECRET"])
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    answer = httpx.post(f"{server.origin}/oauth/token", data=form, auth=auth, trust_env=False).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def main() -> None:
    """Measure and tell."""
    given = arguments(__doc__)
    with ReferenceServer(lab=False, settings=NO_LIMITS) as server:
        headers = bearer(server)
        listed = httpx.get(f"{server.origin}/v1/users", headers=headers, trust_env=False).raise_for_status()
        line = f"GET /v1/users/{listed.json()['data'][0]['id']}"
        runtime = read_runtime(server.data)
        assert runtime is not None  # noqa: S101 (the server runs)
        assert runtime.database_url is not None  # noqa: S101 (on its own PostgreSQL)
        with serving("reader.py", DATABASE_URL=runtime.database_url) as bare:
            yardstick = Subject.of("a bare handler with the same SQL", bare, line, headers)
            subject = Subject.of("GET /v1/users/{id}", server.origin, line, headers)
            compare(yardstick, [subject], GOAL, given)
            for each in (yardstick, subject):
                taken = asyncio.run(each.latencies(MANY, MANY_S))
                p99 = statistics.quantiles(taken, n=100)[98]
                print(f"{each.name}, {MANY} clients: {len(taken) / MANY_S:.0f}/s, p99 {1000 * p99:.0f} ms")


if __name__ == "__main__":
    main()
