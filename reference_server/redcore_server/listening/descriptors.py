"""Lets a process have as many connections as the system allows.

Most systems start a program with a soft limit of 1024 file descriptors, for those that use select(2), and let it raise
the limit. A thousand idle connections, which need no credentials, would keep all other clients out.
"""

from __future__ import annotations

import contextlib
import resource


def raise_limit() -> None:
    """Raise the soft limit of file descriptors to the hard one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has a hard limit that it does not accept as a soft one
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
