"""The exit codes of `redcore` (contract section 9)."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2  # contract section 9, as all of these; click and shells use it too
NOT_FOUND: Final = 3  # contract section 9
NOT_ALLOWED: Final = 4
"""Not authenticated, or not allowed."""
TRY_LATER: Final = 5
"""408, 429, 5xx, or no answer."""
INTERRUPTED: Final = 130  # 128 and the number of SIGINT, as shells report it
