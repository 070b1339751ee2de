"""The clocks of real waits and idle times, which keep running when a test library stops the others."""

from __future__ import annotations

import sys
import time
from functools import partial

monotonic = partial(time.monotonic)  # freezegun would replace the function itself, and no limit would ever pass
uptime = monotonic if sys.platform != "linux" else partial(time.clock_gettime, time.CLOCK_BOOTTIME)
"""Like `monotonic`, but includes the time that the machine was suspended, in which servers and routers forget."""
