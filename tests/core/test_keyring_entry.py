"""One text in a keyring, whatever its length."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.core.keyrings import Remembering, Windows

from redcore.tokens.keyring_entry import PART_CHARACTERS, USER, KeyringEntry

SHORT = "short"
LONG = "".join(map(str, range(2000)))
LONGER = LONG[::-1] * 2


def entry_of(keyring: Remembering) -> KeyringEntry:
    return KeyringEntry(keyring, "entry")


@pytest.mark.parametrize("length", [0, 1, PART_CHARACTERS, PART_CHARACTERS + 1, 2 * PART_CHARACTERS, 10_000])
def test_a_text_of_any_length_round_trips(length: int) -> None:
    """A text is read as it was written, also from a keyring that keeps 2560 bytes at most."""
    entry = entry_of(Windows())
    text = (LONG * 2)[:length]

    entry.write(text)

    assert entry.read() == text


def test_a_missing_entry_is_none() -> None:
    """An entry that was never written is None, and removing it is not an error."""
    entry = entry_of(Remembering())

    entry.delete()

    assert entry.read() is None


@pytest.mark.parametrize("after", [SHORT, LONG, LONGER])
@pytest.mark.parametrize("before", [SHORT, LONG, LONGER])
def test_the_newer_text_replaces_the_older(before: str, after: str) -> None:
    """Whatever the lengths; no part of the older text stays behind."""
    keyring, fresh = Remembering(), Remembering()
    entry = entry_of(keyring)
    entry.write(before)

    entry.write(after)

    entry_of(fresh).write(after)
    assert entry.read() == after
    assert len(keyring.kept) == len(fresh.kept)


@pytest.mark.parametrize("text", [SHORT, LONG])
def test_deleting_removes_every_part(text: str) -> None:
    """No part of a secret stays behind."""
    keyring = Remembering()
    entry = entry_of(keyring)
    entry.write(text)

    entry.delete()

    assert entry.read() is None
    assert keyring.kept == {}


class Interrupted(Remembering):
    """Does something else just before one of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.at = -1
        self.meanwhile: Callable[[], object] = lambda: None

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            self.meanwhile()

    def get_password(self, service: str, username: str) -> str | None:
        self._count()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._count()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._count()
        super().delete_password(service, username)


def calls_of_a_change(before: str, after: str) -> int:
    keyring = Interrupted()
    entry = entry_of(keyring)
    entry.write(before)
    keyring.calls = 0
    entry.write(after)
    return keyring.calls


CHANGES = [(before, after) for before in (SHORT, LONG, LONGER) for after in (SHORT, LONG, LONGER)]
MOMENTS = [(*change, at) for change in CHANGES for at in range(1, calls_of_a_change(*change) + 1)]


@pytest.mark.parametrize(("before", "after", "at"), MOMENTS)
def test_a_reader_sees_one_text_or_the_other(before: str, after: str, at: int) -> None:
    """At no moment of a change does a reader see a mixture, or nothing."""
    keyring = Interrupted()
    entry = entry_of(keyring)
    entry.write(before)
    seen: list[str | None] = []
    keyring.calls, keyring.at, keyring.meanwhile = 0, at, lambda: seen.append(entry.read())

    entry.write(after)

    assert seen in ([before], [after])


@pytest.mark.parametrize(("before", "after", "at"), MOMENTS)
def test_a_writer_that_is_killed_leaves_one_text_or_the_other(before: str, after: str, at: int) -> None:
    """A change that is interrupted at any moment neither loses both texts nor blocks the next change."""

    def killed() -> None:
        raise SystemExit

    keyring = Interrupted()
    entry = entry_of(keyring)
    entry.write(before)
    keyring.calls, keyring.at, keyring.meanwhile = 0, at, killed

    with pytest.raises(SystemExit):
        entry.write(after)

    assert entry.read() in (before, after)
    entry.write(LONG)
    assert entry.read() == LONG


@pytest.mark.parametrize("at", range(1, 5))
def test_a_reader_follows_a_change(at: int) -> None:
    """A text that is replaced while it is read is read again."""
    keyring = Interrupted()
    entry = entry_of(keyring)
    entry.write(LONG)
    keyring.calls, keyring.at, keyring.meanwhile = 0, at, lambda: entry.write(LONGER)

    assert entry.read() in (LONG, LONGER)


def test_an_incomplete_text_is_missing() -> None:
    """An incomplete text is reported as missing rather than wrong."""
    keyring = Remembering()
    entry = entry_of(keyring)
    entry.write(LONG)
    del keyring.kept["entry/a1", USER]

    assert entry.read() is None
