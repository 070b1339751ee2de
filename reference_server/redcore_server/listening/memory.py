"""Makes the C library return freed memory to the system, and collections of garbage short.

By default glibc raises its threshold for large blocks with the largest one freed so far, and then keeps such blocks for
reuse: after an upload, the buffers of its parts stay for hours. Smaller ones stay while a block behind them is used:
after a thousand connections with half a head each, all of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
from typing import Final

_M_MMAP_THRESHOLD: Final = -3  # mallopt(3)
_LARGE_BYTES: Final = 128 * 1024  # glibc's own threshold, before it raises it; a body of a megabyte is above it as well


def return_large_blocks() -> None:
    """Set the threshold for this process; without effect on a C library other than glibc."""
    with contextlib.suppress(AttributeError, OSError):  # musl and macOS have no `mallopt`
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def return_small_blocks() -> None:
    """Return what is free now, in less than a millisecond as a rule; without effect on another C library."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)  # malloc_trim(3)


def keep_what_is_loaded() -> None:
    """Leave out of further collections what a process has loaded at its start.

    A full collection looks at a hundred thousand objects, for 50 ms in which no request is answered. An import causes
    one after another.
    """
    gc.collect()
    gc.freeze()
