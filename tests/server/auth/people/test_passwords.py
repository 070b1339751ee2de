"""Passwords and TOTP by themselves: rules, storage, and which codes are valid."""

from __future__ import annotations

from base64 import b32encode
from typing import Literal

import argon2
import pytest

from redcore_server.auth.people.passwords import Passwords, problem
from redcore_server.auth.people.totp import is_totp_secret, matching_step, new_totp_secret, qr_code

RFC_SECRET = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("four words nobody says", True),
        ("ümläute-zählen", True),
        ("twelve chars", True),
        ("eleven char", False),
        ("a b c d" * 20, False),
        ("aaaaaaaaaaaaaaaaaaaa", False),
        ("Ada.Lovelace@Example.com", False),
        ("ada.lovelaceada.lovelace", False),
    ],
)
def test_rules_of_passwords(password: str, *, is_good: bool) -> None:
    """Twelve to 128 characters, more than a few different ones, and not one's own address."""
    assert (problem(password, email="ada.lovelace@example.com") is None) == is_good


@pytest.mark.anyio
async def test_one_password_in_two_spellings() -> None:
    """The same characters typed on two keyboards are the same password (NFKC), other characters are not."""
    passwords = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = await passwords.hash("cafe\u0301 au lait, \ufb01ne")

    assert await passwords.verify(stored, "caf\u00e9 au lait, fine")
    assert not await passwords.verify(stored, "cafe au lait, fine")


@pytest.mark.anyio
async def test_nothing_stored_matches_nothing() -> None:
    """A missing or damaged hash matches no password."""
    passwords = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

    assert not await passwords.verify(None, "")
    assert not await passwords.verify("damaged", "four words nobody says")


class Recorder(argon2.PasswordHasher):
    """A hasher that records what it was given to check."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's name
        self.checked.append(str(hash))
        return super().verify(hash, password)


@pytest.mark.anyio
async def test_checking_takes_as_long_without_a_user() -> None:
    """Without a stored hash, one of the same cost and length is checked."""
    hasher = Recorder()
    passwords = Passwords(hasher)
    stored = await passwords.hash("four words nobody says")

    for against in (stored, None):
        assert not await passwords.verify(against, "other words nobody says")

    known, unknown = hasher.checked
    assert argon2.extract_parameters(unknown) == argon2.extract_parameters(known)
    assert len(unknown) == len(known)


@pytest.mark.parametrize(
    ("now", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_totp_codes_are_those_of_the_rfc(now: int, code: str) -> None:
    """RFC 6238 appendix B, the last six digits; codes of the adjacent steps are valid too, later ones are not."""
    step = now // 30

    assert matching_step(RFC_SECRET, code, now) == step
    assert matching_step(RFC_SECRET, f" {code[:3]} {code[3:]} ", now) == step
    assert matching_step(RFC_SECRET, code, now + 30) == step
    assert matching_step(RFC_SECRET, code, now + 90) is None


@pytest.mark.parametrize("code", ["", "28708", "2870822", "28708x", "٢٨٧٠٨٢", "287082\n1"])
def test_totp_codes_have_six_digits(code: str) -> None:
    """Six ASCII digits, or nothing."""
    assert matching_step(RFC_SECRET, code, 59) is None


def test_totp_secret_is_long_and_new() -> None:
    """160 bits each time, in the form that comes back with the form."""
    first, second = new_totp_secret(), new_totp_secret()

    assert first != second
    assert is_totp_secret(first)
    assert not is_totp_secret(first.lower())
    assert not is_totp_secret(f"{first}A")


def test_totp_qr_code_loads_nothing() -> None:
    """An SVG as a `data:` URL."""
    assert qr_code(RFC_SECRET, "ada@example.com").startswith("data:image/svg+xml")
