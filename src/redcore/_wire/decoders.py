"""What makes objects of a type from bytes: decoders of msgspec, made when first needed, and one at a time.

msgspec keeps what it learns about a class with the class, from the moment it begins to learn it: a second thread that
meets the class in that moment ends the whole process (seen with msgspec 0.22).
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
    """What makes objects of a type from JSON."""
    with _learning:
        return msgspec.json.Decoder(kind).decode


def converted(value: Any, kind: Any) -> Any:
    """An object of a type, made from what JSON was read into.

    Raises:
        msgspec.ValidationError: the value does not fit.
    """
    with _learning:
        return msgspec.convert(value, kind)


def _after_fork() -> None:
    global _learning  # noqa: PLW0603 (a thread of the parent may have held it)
    _learning = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)
