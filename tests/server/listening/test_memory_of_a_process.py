"""The effect of `redcore_server.listening.memory`, in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import re
from pathlib import Path
from redcore_server.listening.memory import return_large_blocks

def resident_mb():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

return_large_blocks()
before = resident_mb()
blocks, between = [], []
for _ in range(500):
    blocks.append(bytearray(b"x") * 200_000)
    between.append(bytearray(1000))
assert resident_mb() > before + 90
del blocks
print(resident_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_bodies_between_other_objects_are_returned() -> None:
    """100 MB in blocks of 200 kB: without it the C library would keep them all because of the objects between them."""
    kept_mb = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own

    assert float(kept_mb) < 10


def test_collections_leave_out_what_is_loaded() -> None:
    """A full one takes as long as it has objects to look at, and nothing else goes on meanwhile."""
    program = """
import gc
from redcore_server.listening.memory import keep_what_is_loaded
from redcore_server.process import platform

before = len(gc.get_objects())
keep_what_is_loaded()
print(before, len(gc.get_objects()))
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own

    before, after = map(int, printed.split())
    assert before > 10_000
    assert after < 1000
