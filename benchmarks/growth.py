"""Measures what a listing costs as it grows: pages at depth, whole walks, searches of two letters, bulk inserts.

Each figure is the ratio of a large organisation to a small one, in one run, against one reference server.

python benchmarks/growth.py [--small 1000] [--middle 100000] [--large 1000000] [--times 7]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import attrs
import httpx
import psycopg

from redcore import Client
from redcore.testing import ReferenceServer
from redcore_server.data_folder import read_runtime

NO_LIMITS = {f"REDCORE_SERVER_ENTERPRISE_PER_{unit}": str(10**7) for unit in ("MINUTE", "SECOND")}
FEW, MANY = "qz", "us"  # letters that the same 50 users have in every organisation, and letters that all of them have
INSERT = """
insert into users (id, organisation_id, email, email_key, name, role, status, created_at, updated_at)
select
    'usr_' || gen_random_uuid(), organisations.id, 'user' || number || '@x.example', 'user' || number || '@x.example',
    case when number %% (%(items)s / 50) = 0 then 'Qz ' else 'Ada ' end || number, 'viewer', 'active',
    timestamptz '2026-01-01' + number * interval '1 millisecond', now()
from organisations, generate_series(1, %(items)s) as number
"""


@attrs.frozen
class Listing:
    """The users of one organisation, over HTTP and by the SDK."""

    server: ReferenceServer
    items: int
    http: httpx.Client

    def grow(self, database_url: str) -> float:
        """Add users; return the seconds it took for each million."""
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("delete from users where id not in (select owner_id from api_keys) and role = 'viewer'")
            begun = time.perf_counter()
            connection.execute(INSERT, {"items": self.items})
            taken = time.perf_counter() - begun
            connection.execute("vacuum analyze users")
        return taken * 10**6 / self.items

    def page(self, **query: str | int) -> Mapping[str, object]:
        """Return the `meta` of one page."""
        answer = self.http.get("/users", params={"limit": 20, **query}).raise_for_status()
        meta: Mapping[str, object] = answer.json()["meta"]
        return meta

    def deep_cursor(self) -> str:
        """Return the cursor of a page close to the last one."""
        return str(self.page(offset=self.items - 60, include_total="false")["next_cursor"])

    def walk(self) -> None:
        """Walk all users, as an application: a thousand requests of an API key take a minute, whatever they cost."""
        with Client(**self.server.application) as client:
            found = sum(len(page) for page in client.users.list_all())
        assert found >= self.items  # noqa: S101 (a measurement of something else would mean nothing)


def timed(act: Callable[[], object]) -> float:
    """Return how long something takes once."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def median_s(times: int, act: Callable[[], object]) -> float:
    """Return the median time of something, after one warm-up."""
    act()
    return statistics.median(timed(act) for _ in range(times))


def measured(listing: Listing, times: int) -> dict[str, float]:
    """Return the seconds of each action on one listing."""
    deep = listing.deep_cursor()
    acts: dict[str, Callable[[], object]] = {
        "first page, not counted": lambda: listing.page(include_total="false"),
        "first page, counted": listing.page,
        "last page by cursor": lambda: listing.page(cursor=deep),
        "last page by offset, counted": lambda: listing.page(offset=listing.items - 40),
        "q of two letters, few found, counted": lambda: listing.page(q=FEW),
        "q of one letter, few found, counted": lambda: listing.page(q=FEW[0]),
        "q of two letters, all found, not counted": lambda: listing.page(q=MANY, include_total="false"),
        "q of two letters, all found, counted": lambda: listing.page(q=MANY),
    }
    return {name: median_s(times, act) for name, act in acts.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("small", 1000), ("middle", 100_000), ("large", 1_000_000), ("times", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    seconds: dict[int, dict[str, float]] = {}
    with ReferenceServer(lab=False, settings=NO_LIMITS) as server:
        runtime = read_runtime(server.data)
        assert runtime is not None  # noqa: S101 (the server runs)
        assert runtime.database_url is not None  # noqa: S101 (on its own PostgreSQL)
        headers = {"Authorization": f"Bearer {server.api_key['api_key']}"}
        with httpx.Client(base_url=server.base_url, headers=headers, trust_env=False, timeout=600) as http:
            for items in (given.small, given.middle, given.large):
                listing = Listing(server, items, http)
                grown = listing.grow(runtime.database_url)
                seconds[items] = {"bulk insert, each row": grown, **measured(listing, given.times)}
                if items != given.small:
                    seconds[items]["walk"] = timed(listing.walk)
    tell(seconds, given.small, given.middle, given.large)


def tell(seconds: Mapping[int, Mapping[str, float]], small: int, middle: int, large: int) -> None:
    """Print the ratios."""
    for name in seconds[small]:
        print(f"{name}: {large:,} users ÷ {small:,}: {seconds[large][name] / seconds[small][name]:.2f}")
    depth = seconds[large]["last page by cursor"] / seconds[small]["first page, counted"]
    print(f"page at depth {large:,} by cursor ÷ first page of {small:,}: {depth:.2f}")
    print(f"walk of {large:,} users ÷ walk of {middle:,}: {seconds[large]['walk'] / seconds[middle]['walk']:.2f}")


if __name__ == "__main__":
    main()
