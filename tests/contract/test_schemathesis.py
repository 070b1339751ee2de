"""schemathesis looks for requests whose answers violate the spec."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from tests.contract.schemathesis_run import Schemathesis
from tests.spec import spec

from redcore.testing import Lab, ReferenceServer
from redcore_server.data_folder import read_runtime
from redcore_server.store.postgres import connect
from redcore_server.workflows.definition import LANES

CASES = 10_000
PHASES = ("examples", "coverage", "fuzzing", "stateful")
EXAMPLES = os.environ.get("REDCORE_TEST_EXAMPLES", "80")  # random requests of each operation
SEQUENCES = 100  # Hypothesis ends a run sooner, once an answer shows that the server keeps state
MOST_RUNS = 12


def links_of_the_spec() -> Iterator[str]:
    """Yield every link as schemathesis names it."""
    for path, item in spec()["paths"].items():
        for method in item.keys() - {"parameters"}:
            for status, response in item[method]["responses"].items():
                shared = response.get("$ref", "").rpartition("/")[2]
                answer = spec()["components"]["responses"][shared] if shared else response
                yield from (f"{method.upper()} {path} -> [{status}] {link}" for link in answer.get("links", ()))


@contextmanager
def busy_lanes(server: ReferenceServer) -> Generator[None]:
    """Let workflow runs wait, as behind others of their organisation; otherwise all may end before a cancellation."""
    hold = """insert into procrastinate_jobs (queue_name, task_name, status, lock)
              select 'held', 'held', 'doing', id || '/' || lane from organisations, generate_series(0, %s) as lane
              on conflict do nothing"""
    lanes = "select count(*) * %s from organisations"
    held = "select count(*) from procrastinate_jobs where task_name = 'held'"
    runtime = read_runtime(server.data)
    assert runtime is not None
    assert runtime.database_url is not None
    with connect(runtime.database_url) as connection:
        while connection.execute(held).fetchone() != connection.execute(lanes, [LANES]).fetchone():
            connection.execute(hold, [LANES - 1])  # a lane whose run has not ended is held when it ends
            time.sleep(0.05)
        yield
        connection.execute("delete from procrastinate_jobs where task_name = 'held'")


@pytest.mark.long
def test_generated_requests_find_no_failure(redcore_server: ReferenceServer, redcore_lab: Lab, tmp_path: Path) -> None:
    """Examples, edge cases, random ones and sequences of calls; then more sequences, until every link was followed."""
    redcore_lab.limit_rate(requests_per_minute=10_000_000, requests_per_second=1_000_000)
    schemathesis = Schemathesis.against(redcore_server, tmp_path)

    runs = [schemathesis.run("--max-examples", EXAMPLES, seed=1)]
    cases, left = runs[0].cases, set(links_of_the_spec()) - runs[0].links
    while (cases < CASES or left) and len(runs) < MOST_RUNS:
        with busy_lanes(redcore_server) if len(runs) % 2 else nullcontext():
            run = schemathesis.run("--phases", "stateful", "--max-examples", str(SEQUENCES), seed=len(runs) + 1)
        runs, cases, left = [*runs, run], cases + run.cases, left - run.links

    assert not any(run.exit_code for run in runs), "\n".join(run.output for run in runs if run.exit_code)
    assert runs[0].phases == dict.fromkeys(PHASES, "success")
    assert cases >= CASES
    assert left == set()
    schemathesis.try_credentials()
