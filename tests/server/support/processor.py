"""Limits of the processor time that code may take, on a busy machine too."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def cpu_within(limit_s: float) -> Generator[None]:
    """Check the processor time of a block.

    Objects of all tests before are not collected in it, which takes a large part of a second in a long run.

    Args:
        limit_s: Seconds that it may take, of all threads of this process.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    began = time.process_time()
    try:
        yield
        cost_s = time.process_time() - began
    finally:
        if was_enabled:
            gc.enable()
    assert cost_s < limit_s
