"""msgspec decoders, created on first use, one at a time.

msgspec stores type information on a class while it is still collecting it: a second thread that uses the class at that
moment crashes the process (seen with msgspec 0.22).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

_learning = threading.Lock()


@cache
def decoder(kind: Any) -> Callable[[bytes], Any]:
    """Return the JSON decoder of a type."""
    with _learning:
        return msgspec.json.Decoder(kind).decode


def converted(value: Any, kind: Any) -> Any:
    """Convert decoded JSON to an object of a type.

    Raises:
        msgspec.ValidationError: the value does not fit.
    """
    with _learning:
        return msgspec.convert(value, kind)


def _after_fork() -> None:
    global _learning  # noqa: PLW0603 (a thread of the parent process may have held it)
    _learning = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)
