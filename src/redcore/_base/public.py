"""Marks the public interface: a class of it is `redcore.User` in tracebacks and pickles, wherever it is defined."""

from __future__ import annotations

from typing import Any, TypeVar

C = TypeVar("C", bound=type[Any])


def public(cls: C) -> C:
    """Name a class after the package, so that its module can be renamed while pickles of it still load."""
    cls.__module__ = "redcore"
    return cls
