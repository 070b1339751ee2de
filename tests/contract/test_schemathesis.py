"""schemathesis, which nobody here wrote, looks for requests whose answers are not as the spec says."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.contract.judge import SPEC

from redcore.testing import Lab, ReferenceServer

PROGRAM = Path(sysconfig.get_path("scripts"), "schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = os.environ.get("REDCORE_TEST_EXAMPLES", "4")  # for each operation and phase: about 1,800 cases in all


@pytest.mark.long
def test_no_generated_request_finds_a_failure(redcore_server: ReferenceServer, redcore_lab: Lab) -> None:
    """Examples, edge cases, random ones and sequences of calls, the same in every run."""
    redcore_lab.limit_rate(requests_per_minute=10_000_000, requests_per_second=1_000_000)
    options = ["--url", redcore_server.origin, "--seed", "1", "-n", EXAMPLES, "--generation-database", "none"]
    header = f"Authorization: Bearer {redcore_server.api_key['api_key']}"

    run = subprocess.run(  # noqa: S603 (a tool of the test group)
        [PROGRAM, "--config-file", CONFIG, "run", SPEC, *options, "-H", header, "--no-color", "--continue-on-failure"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
