"""Identifiers are random, and every letter is equally likely."""

from __future__ import annotations

import secrets
import string
from collections import Counter

import pytest

from redcore_server import ids


def test_every_letter_is_as_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the 256 bytes four stand for each letter; the rest is dropped."""
    monkeypatch.setattr(secrets, "token_bytes", lambda _size: bytes(range(256)))

    counted = Counter(ids.random_text(4 * 62))

    assert counted == dict.fromkeys(string.digits + string.ascii_letters, 4)


def test_dropped_bytes_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is as long as requested."""
    drawn = iter([b"\xff" * 30, b"\x00" * 20, b"\xf8\x01\x02"])
    monkeypatch.setattr(secrets, "token_bytes", lambda _size: next(drawn))

    assert ids.random_text(22) == "0" * 20 + "12"


def test_an_id_names_its_type() -> None:
    """Then 22 letters; two ids always differ."""
    made = {ids.new_id("usr") for _ in range(1000)}

    assert len(made) == 1000
    assert {len(each) for each in made} == {len("usr_") + 22}
    assert all(each.startswith("usr_") and each[4:].isalnum() and each.isascii() for each in made)
