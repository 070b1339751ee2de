"""How long a transport's own connections live: until it is closed, or until the process forks."""

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
    """Base of the transports that have connections of their own."""

    close_with: ClassVar[str]
    """What an application writes to close a client."""
    warns: ClassVar[bool] = True
    """Whether to warn of a client that is never closed: not at interpreter shutdown."""

    def __init__(self) -> None:
        self.closed = False
        self.used: bool = False
        self._finalizer: finalize[[], Owner] | None = None

    def use(self) -> None:
        """Note that there may be connections to close; a client whose constructor failed never gets here."""
        if not self.used:
            self.used = True
            _owners.add(self)
            self.hold()

    def hold(self) -> None:
        """Keep the connections until the owner is collected, and close them then.

        The collector would otherwise finalise the sockets of a cycle first, which warn that they were not closed.
        """
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = finalize(self, self.closer())
        self._finalizer.atexit = False  # see `_at_exit`

    def let_go(self) -> None:
        """Close the connections that are not in use, or let their event loops close them; does not wait."""
        self.closer()()

    @abstractmethod
    def begin_anew(self) -> None:
        """Drop inherited connections, in a child of a fork: they are the parent's."""

    @abstractmethod
    def closer(self) -> Callable[[], None]:
        """What `let_go` does, as a function that does not refer to the owner."""

    def __del__(self) -> None:
        if self.warns and getattr(self, "used", False) and not self.closed:  # without `used` it was never made
            told = f"a client was used and never closed; {self.close_with}"
            warnings.warn(told, ResourceWarning, stacklevel=2, source=self)


_owners: WeakSet[Owner] = WeakSet()


def _after_fork() -> None:
    for owner in list(_owners):
        with suppress(Exception):  # the connections of the other clients are the parent's all the same
            owner.begin_anew()
            owner.hold()


def _at_exit() -> None:
    """Close what is idle. Clients that live as long as the program need not be closed, and can be used to its very end.

    Handlers that were registered earlier, logging's among them, run after this one.
    """
    Owner.warns = False
    for owner in list(_owners):
        with suppress(Exception):  # as above
            owner.let_go()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_after_fork)
