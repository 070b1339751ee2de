"""Measures `GET /v1/users/{id}` of one reference server, as ratios to a handler that only runs the same SQL.

The requests have an access token: gateway, auth and PostgreSQL all take part. For few and for many clients it prints
answers per second, and the 99th percentile of the time until an answer.

python benchmarks/users.py [--rounds 15] [--seconds 1]
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import httpx

from load import Subject, Turn, arguments, serving, turns
from redcore.testing import ReferenceServer
from redcore_server.data_folder import read_runtime

CLIENTS = (16, 100)
LEAST_RATE, MOST_P99 = 0.65, 1.8  # as ratios to the handler; the latter with most clients
# All requests have one credential.
NO_LIMITS = {f"REDCORE_SERVER_ENTERPRISE_PER_{unit}": str(10**6) for unit in ("MINUTE", "SECOND")}


def bearer(server: ReferenceServer) -> dict[str, str]:
    """Return the headers of a request with an access token."""
    environment = server.environment
    auth = (environment["REDCORE_CLIENT_ID"], environment["REDCORE_CLIENT_SECRET"])
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    answer = httpx.post(f"{server.origin}/oauth/token", data=form, auth=auth, trust_env=False).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def main() -> None:
    """Measure and print."""
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
            for clients in CLIENTS:
                bare_turns, taken = turns([yardstick, subject], clients, given)
                tell(clients, bare_turns, taken)


def tell(clients: int, bare: Sequence[Turn], taken: Sequence[Turn]) -> None:
    """Print the medians, and those of the rounds' ratios."""
    for name, each in (("bare handler", bare), ("reference server", taken)):
        rate, p99_s = (statistics.median(values) for values in zip(*((t.rate, t.p99_s) for t in each), strict=True))
        print(f"{clients} clients, {name}: {rate:.0f}/s, p99 {1000 * p99_s:.1f} ms")
    pairs = list(zip(taken, bare, strict=True))
    rate = statistics.median(turn.rate / other.rate for turn, other in pairs)
    p99 = statistics.median(turn.p99_s / other.p99_s for turn, other in pairs)
    print(f"{clients} clients, ratios: rate {rate:.2f} (goal {LEAST_RATE}), p99 {p99:.2f} (goal {MOST_P99})")


if __name__ == "__main__":
    main()
