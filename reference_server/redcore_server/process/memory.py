"""Makes the C library return large freed blocks of memory to the system at once.

By default glibc raises its threshold with the largest block freed so far, and then keeps such blocks for reuse: after
an upload, the buffers of its parts stay for hours.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3  # mallopt(3)
_LARGE_BYTES: Final = 128 * 1024  # glibc's own threshold, before it raises it; a body of a megabyte is above it as well


def return_large_blocks() -> None:
    """Set the threshold for this process; without effect on a C library other than glibc."""
    with contextlib.suppress(AttributeError, OSError):  # musl and macOS have no `mallopt`
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
