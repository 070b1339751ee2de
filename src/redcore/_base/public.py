"""Marks public classes, which appear as `redcore.User` in tracebacks and pickles, wherever they are defined."""

from __future__ import annotations

from typing import Any, TypeVar

C = TypeVar("C", bound=type[Any])


def public(cls: C) -> C:
    """Set a class's module to the package, so that its real module can be renamed without breaking pickles."""
    cls.__module__ = "redcore"
    return cls
