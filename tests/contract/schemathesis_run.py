"""Runs schemathesis against a reference server, and reads requests and findings from its reports."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import attrs
from tests.spec import SPEC

from redcore import Client
from redcore.testing import ReferenceServer

PROGRAM = Path(sysconfig.get_path("scripts"), "schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")


@attrs.frozen
class Run:
    """The requests and findings of one run."""

    exit_code: int
    output: str = attrs.field(repr=False)
    phases: dict[str, str]
    """The outcome of each phase."""
    cases: int
    links: frozenset[str]
    """The links of the spec that were followed and succeeded, as `GET /v1/me -> [200] GetUser`."""


@attrs.frozen
class Schemathesis:
    """The program, run against a server with credentials that its requests cannot revoke."""

    server: ReferenceServer
    reports: Path
    environment: dict[str, str] = attrs.field(repr=False)

    @classmethod
    def against(cls, server: ReferenceServer, reports: Path) -> Schemathesis:
        """Use the server's API key, and an application of another organisation, which that key cannot delete.

        Args:
            server: In test mode; keeps the other organisation.
            reports: Folder for reports.
        """
        command = [
            sys.executable,
            "-m",
            "redcore_server",
            "seed",
            "--organisation",
            "Others",
            "--data",
            str(server.data),
        ]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 (ours)
        others = dict(word.split("=", 1) for word in shlex.split(printed, comments=True) if "=" in word)
        application = {name: others[name] for name in ("REDCORE_CLIENT_ID", "REDCORE_CLIENT_SECRET")}
        return cls(server, reports, {**server.environment, **application})

    def run(self, *options: str, seed: int) -> Run:
        """Run it once; a seed gives the same requests, as far as they do not depend on the server's answers."""
        report, events = self.reports / f"{seed}.json", self.reports / f"{seed}.ndjson"
        process = subprocess.run(  # noqa: S603 (a tool of the test group)
            [
                *(PROGRAM, "--config-file", CONFIG, "run", SPEC, "--url", self.server.origin, "--seed", str(seed)),
                *("--generation-database", "none", "--continue-on-failure", "--no-color", "--report", "json,ndjson"),
                *("--report-json-path", report, "--report-ndjson-path", events),
                *options,
            ],
            env={**os.environ, **self.environment, "SCHEMATHESIS_HOOKS": str(HOOKS)},
            capture_output=True,
            text=True,
            check=False,
        )
        output = process.stdout + process.stderr
        assert report.exists(), output
        summary = json.loads(report.read_text(encoding="utf-8"))
        phases = {name: phase["status"] for name, phase in summary["phases"].items()}
        return Run(process.returncode, output, phases, summary["test_cases"]["generated"], frozenset(followed(events)))

    def try_credentials(self) -> None:
        """Fail if a credential was revoked meanwhile, as all later requests were then refused."""
        url, variables = self.server.base_url, self.environment
        with Client(base_url=url, api_key=variables["REDCORE_API_KEY"]) as by_key:
            by_key.users.get_me()
        name, secret = variables["REDCORE_CLIENT_ID"], variables["REDCORE_CLIENT_SECRET"]
        with Client(base_url=url, client_id=name, client_secret=secret) as by_application:
            by_application.users.get_me()


def followed(events: Path) -> Iterator[str]:
    """Yield the links of a run's record: those of the spec, not guessed ones, whose target was found."""
    with events.open(encoding="utf-8") as lines:
        finished = [event["ScenarioFinished"] for event in map(json.loads, lines) if "ScenarioFinished" in event]
    for recorder in (scenario["recorder"] for scenario in finished):
        for name, case in recorder.get("cases", {}).items():
            transition = case.get("transition")
            if transition and case["is_transition_applied"] and not transition.get("is_inferred"):
                answer = recorder["interactions"][name].get("response")
                if answer and answer["status_code"] not in (401, 404):
                    yield transition["id"].rpartition(" -> ")[0]
