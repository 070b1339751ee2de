"""The monotonic clock of time limits on real waits, which keeps running when a test library stops the clocks."""

from __future__ import annotations

import time
from functools import partial

monotonic = partial(time.monotonic)  # freezegun would replace the function itself, and no limit would ever pass
