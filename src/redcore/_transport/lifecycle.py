"""The lifetime of a transport's own connections: until it is closed, or until the process forks.

States of a transport, and the legal transitions:

    unused → used      the first connection may exist: it is closed at exit or by the garbage collector
    used   → unused    the process has forked: the child drops what it inherited, the parent keeps it
    used   → closed    `close`; a call afterwards is an error
    used   → let go    exit or garbage collection: idle connections are closed, with a warning unless at exit
"""

from __future__ import annotations

import atexit
import os
import warnings
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar
from weakref import WeakSet, finalize


class Owner:
    """Base class of transports with their own connections."""

    close_with: ClassVar[str]
    """How an application closes a client, for the warning."""
    warns: ClassVar[bool] = True
    """Whether to warn about an unclosed client; not at interpreter shutdown."""

    def __init__(self) -> None:
        self.closed = False
        self.used: bool = False
        self._finalizer: finalize[[], Owner] | None = None

    def use(self) -> None:
        """Record that there may be connections to close; not reached if the client's constructor failed."""
        if not self.used:
            self.used = True
            _owners.add(self)
            self.hold()

    def hold(self) -> None:
        """Close the connections when the owner is garbage-collected.

        Otherwise the collector could finalize the sockets of a cycle first, which warn that they were not closed.
        """
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = finalize(self, self.closer())
        self._finalizer.atexit = False  # see `_at_exit`

    def let_go(self) -> None:
        """Close idle connections, or let their event loops close them; does not wait."""
        self.closer()()

    @abstractmethod
    def begin_anew(self) -> None:
        """Drop inherited connections after fork()."""

    @abstractmethod
    def closer(self) -> Callable[[], None]:
        """Return the function of `let_go`, without a reference to the owner."""

    def __del__(self) -> None:
        if self.warns and getattr(self, "used", False) and not self.closed:  # never created without `used`
            warning = f"a client was used and never closed; {self.close_with}"
            warnings.warn(warning, ResourceWarning, stacklevel=2, source=self)


_owners: WeakSet[Owner] = WeakSet()


def _after_fork() -> None:
    for owner in list(_owners):
        with suppress(Exception):  # the other clients must still drop the parent's connections
            owner.begin_anew()
            owner.hold()


def _at_exit() -> None:
    """Close idle connections at exit. Clients that live as long as the program need not be closed.

    Handlers that were registered earlier, including logging's, run after this one and can still use clients.
    """
    Owner.warns = False
    for owner in list(_owners):
        with suppress(Exception):  # as above
            owner.let_go()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)
