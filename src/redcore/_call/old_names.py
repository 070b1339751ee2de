"""Lets older pickles load, which refer to former names of private modules.

Imported when a module with an old name is first looked up. Kept for one release.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

from redcore._call.pickling import PickledClient
from redcore.options import Retry

PREFIX = "redcore."
MODULES = {
    "_download": "exceptions",
    "_engine": "_call.engine",
    "_generated": "_spec",
    "_generated.models": "_spec.models",
    "_progress": "_wire.progress",
    "_recipe": "_call.old_names",
    "_response": "_base.response",
    "_values": "_base.values",
    "auth": "_call.authenticator",
    "limits": "_wire.rate_limit",
    "raw": "_wire.raw_response",
    "retry": "_call.old_names",
}
"""Old module names that a pickle of a client, an error or a model may contain, with their new names."""
Recipe = PickledClient
"""The old name of `PickledClient`."""


class Forward(Loader):
    """Loads an old module name as a module that forwards to the new one."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Use an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Forward every name (PEP 562)."""
        new = import_module(PREFIX + MODULES[module.__name__.removeprefix(PREFIX)])
        module.__dict__["__getattr__"] = partial(getattr, new)


def find(name: str) -> ModuleSpec | None:
    """Find a module by its old name; None if it is not one."""
    old = name.removeprefix(PREFIX)
    return ModuleSpec(name, Forward(), is_package=old == "_generated") if old in MODULES else None


class RetryPolicy:
    """The old name of `Retry`; its pickles load as `Retry`."""

    def __new__(cls) -> Retry:  # type: ignore[misc]  # unpickling accepts any state
        """Create a policy; pickle sets its state afterwards."""
        return Retry()
