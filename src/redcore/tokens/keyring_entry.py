"""A text of any length in a keyring, split over several entries if needed. Knows neither tokens nor locks."""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

import attrs

from redcore.tokens.encryption import Unreadable

PART_CHARACTERS = 1200  # the Windows Credential Manager stores 2560 bytes, and keyring encodes as UTF-16
USER = "tokens"  # the only one of each service: the Windows backend moves entries that share a service
MARK = "redcore-parts"
HEAD = re.compile(MARK + r":(?P<side>[ab]):(?P<count>\d{1,5}):(?P<digest>[0-9a-f]{64})", re.ASCII)
MAX_PARTS = 1000  # of one text: more than a megabyte, far more than tokens need
READS = 3  # of a text that other processes may replace at the same time


class Keyring(Protocol):
    """The part of a `keyring` backend that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return the stored value, or None."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a value, replacing the previous one."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Delete the stored value."""
        ...


@attrs.frozen
class SplitText:
    """The head of a long text: the number of its parts, where they are, and their checksum."""

    side: str
    """`a` or `b`, alternating, so that parts that others may be reading are never overwritten."""
    count: int
    digest: str

    @classmethod
    def of(cls, text: str, after: SplitText | None) -> SplitText | None:
        """How to split a text; None if it fits into one entry."""
        if len(text) <= PART_CHARACTERS:
            return None
        side = "b" if after is not None and after.side == "a" else "a"
        return cls(side, -(-len(text) // PART_CHARACTERS), digest_of(text))

    @classmethod
    def read(cls, head: str | None) -> SplitText | None:
        """Parse the head of a long text; None if the entry holds the text itself.

        Raises:
            Unreadable: it is corrupt.
        """
        if head is None or not head.startswith(MARK):
            return None
        found = HEAD.fullmatch(head)
        if found is None or int(found["count"]) > MAX_PARTS:
            raise Unreadable("is not what this cache writes")
        return cls(found["side"], int(found["count"]), found["digest"])

    @classmethod
    def of_old(cls, head: str | None) -> SplitText | None:
        """Parse the head of a text to be replaced; None also if it is corrupt, as its parts are then unknown."""
        try:
            return cls.read(head)
        except Unreadable:
            return None

    def __str__(self) -> str:
        return f"{MARK}:{self.side}:{self.count}:{self.digest}"


@attrs.frozen
class KeyringEntry:
    """A text under a name. Readers see the old or the new text, never a mixture."""

    keyring: Keyring = attrs.field(repr=False)
    name: str

    def read(self) -> str | None:
        """Return the text; None if it is missing or incomplete."""
        for _ in range(READS):
            head = self._get(self.name)
            parts = SplitText.read(head)
            if parts is None:
                return head
            text = "".join(self._get(name) or "" for name in self._names(parts))
            if digest_of(text) == parts.digest:
                return text
        return None

    def write(self, text: str) -> None:
        """Store a text, replacing the previous one; one writer at a time."""
        before = SplitText.of_old(self._get(self.name))
        after = SplitText.of(text, before)
        for number, name in enumerate(self._names(after)):
            self._set(name, text[number * PART_CHARACTERS : (number + 1) * PART_CHARACTERS])
        self._set(self.name, text if after is None else str(after))
        self._remove(self._names(before))

    def delete(self) -> None:
        """Delete the text, if there is one."""
        parts = SplitText.of_old(self._get(self.name))
        self._remove([self.name, *self._names(parts)])

    def _names(self, parts: SplitText | None) -> list[str]:
        return [] if parts is None else [f"{self.name}/{parts.side}{number}" for number in range(parts.count)]

    def _get(self, name: str) -> str | None:
        return self.keyring.get_password(name, USER)

    def _set(self, name: str, text: str) -> None:
        self.keyring.set_password(name, USER, text)

    def _remove(self, names: list[str]) -> None:
        for name in names:
            if self._get(name) is not None:  # a backend may raise for a missing entry
                self.keyring.delete_password(name, USER)


def digest_of(text: str) -> str:
    """Checksum that distinguishes a complete text from a mixture of two."""
    return hashlib.sha256(text.encode()).hexdigest()
