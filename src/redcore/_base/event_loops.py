"""Tells asyncio from trio, and threads from greenlets."""

from __future__ import annotations

import sys


def is_in_trio() -> bool:
    """Whether trio runs the current task.

    The two can be nested: trio runs inside asyncio as its guest, and asyncio inside trio by trio-asyncio. asyncio may
    then have a running loop in a task of trio, but no current task.
    """
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    import asyncio  # noqa: PLC0415 (blocking code needs none of it)

    try:
        if asyncio.current_task() is not None:
            return False
    except RuntimeError:  # no running loop
        pass
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def is_green() -> bool:
    """Whether the threads of this process are greenlets of gevent, which can end a call wherever it waits."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("threading")
