"""The benchmark runs in its smallest form, so that it works when its figures are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "table.py"
ROWS = ["sync, one user", "sync, list of 100", "async, one user", "async, list of 100", "import", "first call, cold"]


def test_the_benchmark_prints_a_line_for_each_row(tmp_path: Path) -> None:
    """One round of the rows that need no peer, and its chart; the speed is not tested."""
    chart = tmp_path / "chart.svg"
    asked = [word for row in ROWS for word in ("--only", row)]
    command: list[str | Path] = [sys.executable, SCRIPT, "--no-peers", "--rounds", "1", "--chart", chart, *asked]

    process = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 (our own)

    headings, _, *lines = process.stdout.splitlines()
    assert "RedCore" in headings
    assert [line.split("|")[1].strip() for line in lines] == ROWS, process.stderr
    assert [text for text in ET.parse(chart).getroot().itertext() if text in ROWS] == ROWS  # noqa: S314 (ours)
