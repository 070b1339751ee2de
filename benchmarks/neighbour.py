"""Measures how long an invitation takes to be sent while another organisation runs six imports, beside its quiet time.

Of each import: the median and the slowest of the invitations, each as a ratio to the same figure of a quiet server.
Goal: 3.

python benchmarks/neighbour.py [--invitations 30]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime

import httpx

from redcore.testing import ReferenceServer

GOAL = 3.0
IMPORTS = 6
PAUSE_S = 0.1  # between invitations, so that the imports are met at different moments
FILES = {
    "catalog_import": "sku,name,price\n"
    + "".join(f"S{n},A product with a name of some length {n},{n}\n" for n in range(13_000)),
    "user_import": "email,name,role\n"
    + "".join(f"person-{n}@example.com,A name of some length,viewer\n" for n in range(13_000)),
}


def organisation(server: ReferenceServer, name: str) -> httpx.Client:
    """Make an organisation; return a client of its administrator."""
    command = [sys.executable, "-m", "redcore_server", "seed", "--organisation", name, "--data", str(server.data)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 (our own program)
    values = dict(line.removeprefix("export ").split("=", 1) for line in printed.splitlines() if "=" in line)
    headers = {"Authorization": f"Bearer {values['REDCORE_API_KEY']}"}
    return httpx.Client(base_url=server.base_url, headers=headers, trust_env=False, timeout=120)


def invited(http: httpx.Client, email: str) -> float:
    """Invite a person; return seconds from the request until the mail was sent."""
    begun = time.time()
    user = http.post("/users", json={"email": email, "name": "B"}).raise_for_status().json()["data"]
    while user["invitation_sent_at"] is None:
        time.sleep(0.01)
        user = http.get(f"/users/{user['id']}").raise_for_status().json()["data"]
    return datetime.fromisoformat(user["invitation_sent_at"]).timestamp() - begun


def invitations(http: httpx.Client, names: Iterator[int], count: int) -> list[float]:
    """Invite several people, one after another."""
    taken: list[float] = []
    for _ in range(count):
        taken.append(invited(http, f"b{next(names)}@example.com"))
        time.sleep(PAUSE_S)
    return taken


def start_imports(http: httpx.Client, workflow: str) -> list[str]:
    """Upload a file and run six imports of it; return their ids."""
    file = http.post("/files", files={"file": ("rows.csv", FILES[workflow])}).raise_for_status().json()["data"]["id"]
    given = {"input": {"file_id": file, "partial": True}}
    runs = [http.post(f"/workflows/{workflow}/runs", json=given).raise_for_status() for _ in range(IMPORTS)]
    return [run.json()["data"]["id"] for run in runs]


def status(http: httpx.Client, run: str) -> str:
    """Return the status of a run."""
    return str(http.get(f"/workflow-runs/{run}").raise_for_status().json()["data"]["status"])


def main() -> None:
    """Measure and print; fail if a median misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invitations", type=int, default=30)
    count = parser.parse_args().invitations
    missed = False
    with ReferenceServer(lab=False) as server, organisation(server, "A") as a, organisation(server, "B") as b:
        names = iter(range(10**6))
        invitations(b, names, 5)  # one-time costs of compiling and opening do not count
        quiet = invitations(b, names, count)
        print(f"quiet: median {statistics.median(quiet):.3f} s, slowest {max(quiet):.3f} s")
        for workflow, rows in FILES.items():
            runs = start_imports(a, workflow)
            loud: list[float] = []
            while len(loud) < count and any(status(a, run) in {"queued", "running"} for run in runs):
                loud += invitations(b, names, 1)
            median, slowest = (kind(loud) / kind(quiet) for kind in (statistics.median, max))
            missed = missed or median > GOAL
            print(
                f"beside {IMPORTS} runs of {workflow} of {len(rows) / 1e6:.1f} MB: {len(loud)} invitations, "
                f"median {statistics.median(loud):.3f} s ({median:.1f} times), slowest {max(loud):.3f} s "
                f"({slowest:.1f} times)",
                flush=True,
            )
            while any(status(a, run) in {"queued", "running"} for run in runs):
                time.sleep(0.5)
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
