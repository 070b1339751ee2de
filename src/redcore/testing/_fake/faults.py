"""Scripted answers and faults: which request gets which, and which were never used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from fnmatch import fnmatchcase

import attrs

from redcore.testing._fake.call import Answer
from redcore.testing.lab import Fault, PendingFault


@attrs.frozen
class Script:
    """What happens to the next requests that match."""

    method: str | None
    path: str
    name: str
    """What the test called it, for the report of what was not used."""
    steps: deque[Fault | Answer | Exception]

    @classmethod
    def of(cls, method: str | None, path: str, name: str, steps: Iterable[Fault | Answer | Exception]) -> Script:
        """A script of some steps."""
        return cls(method, path, name, deque(steps))

    def matches(self, method: str, path: str) -> bool:
        """Whether it is about a request."""
        return self.method in {None, method} and fnmatchcase(path, self.path)


class Scripts:
    """The scripts of one fake, in their order."""

    def __init__(self) -> None:
        self._scripts: list[Script] = []

    def add(self, script: Script) -> None:
        """Add a script behind the others."""
        self._scripts.append(script)

    def clear(self) -> None:
        """Forget all of them."""
        self._scripts.clear()

    def take(self, method: str, path: str) -> Fault | Answer | Exception | None:
        """The next step of the first script that matches a request."""
        for script in self._scripts:
            if script.matches(method, path):
                step = script.steps.popleft()
                if not script.steps:
                    self._scripts.remove(script)
                return step
        return None

    def pending(self) -> list[PendingFault]:
        """What no request has met yet."""
        return [PendingFault(method=each.method, path=each.name, left=len(each.steps)) for each in self._scripts]
