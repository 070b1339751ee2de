"""schemathesis, which nobody here wrote, looks for requests whose answers are not as the spec says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.contract.judge import SPEC
from tests.contract.schemathesis_run import Schemathesis

from redcore.testing import Lab, ReferenceServer

CASES = 10_000
PHASES = ("examples", "coverage", "fuzzing", "stateful")
EXAMPLES = os.environ.get("REDCORE_TEST_EXAMPLES", "80")  # random requests of each operation
SEQUENCES = 100  # Hypothesis ends a run sooner, once an answer shows that the server remembers what came before
MOST_RUNS = 12


def links_of_the_spec() -> Iterator[str]:
    """Yield every link as schemathesis names it."""
    spec: dict[str, Any] = yaml.load(SPEC.read_bytes(), yaml.CSafeLoader)
    for path, item in spec["paths"].items():
        for method in item.keys() - {"parameters"}:
            for status, response in item[method]["responses"].items():
                shared = response.get("$ref", "").rpartition("/")[2]
                answer = spec["components"]["responses"][shared] if shared else response
                yield from (f"{method.upper()} {path} -> [{status}] {link}" for link in answer.get("links", ()))


@pytest.mark.long
def test_no_generated_request_finds_a_failure(
    redcore_server: ReferenceServer, redcore_lab: Lab, tmp_path: Path
) -> None:
    """Examples, edge cases, random ones and sequences of calls; then more sequences, until every link was followed."""
    redcore_lab.limit_rate(requests_per_minute=10_000_000, requests_per_second=1_000_000)
    schemathesis = Schemathesis.against(redcore_server, tmp_path)

    runs = [schemathesis.run("--max-examples", EXAMPLES, seed=1)]
    cases, left = runs[0].cases, set(links_of_the_spec()) - runs[0].links
    while (cases < CASES or left) and len(runs) < MOST_RUNS:
        run = schemathesis.run("--phases", "stateful", "--max-examples", str(SEQUENCES), seed=len(runs) + 1)
        runs, cases, left = [*runs, run], cases + run.cases, left - run.links

    assert not any(run.exit_code for run in runs), "\n".join(run.output for run in runs if run.exit_code)
    assert runs[0].phases == dict.fromkeys(PHASES, "success")
    assert cases >= CASES
    assert left == set()
    schemathesis.try_credentials()
