"""Passwords that people choose: their rules, and argon2id for what is stored.

Hashing takes tens of milliseconds and 64 MiB, so it runs in two threads of its own: one for people at addresses from
which they signed in before, one for all others, however many these are. Checking a password of an unknown account costs
the same, or the time would reveal which accounts exist.
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from typing import Final

import anyio
import anyio.to_thread
import argon2
import attrs
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH: Final = 12  # this and the next: docs/adr/0013-passwords-and-second-factors.md
MAX_LENGTH: Final = 128  # ADR 13
_MAX_TYPED: Final = 8 * MAX_LENGTH  # before normalisation, which joins a letter and its marks


def problem(password: str, *, email: str) -> str | None:
    """Return the problem of a new password as a sentence, or None.

    Args:
        password: Password as typed.
        email: E-mail of the person.
    """
    text = _normal(password)
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        return f"Use {MIN_LENGTH} to {MAX_LENGTH} characters."
    name = email.partition("@")[0]
    if text.casefold() in {email.casefold(), (name * len(text))[: len(text)].casefold()}:
        return "Do not use your e-mail address."
    if len(set(text)) < MIN_LENGTH // 3:
        return "Use more different characters."
    return None


def _one_at_a_time() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(1)  # each takes 64 MiB and a processor for a while (ADR 13)


@attrs.frozen
class Passwords:
    """Hashes and checks passwords.

    Attributes:
        hasher: Argon2id with the low-memory parameters of RFC 9106.
    """

    hasher: argon2.PasswordHasher = attrs.field(factory=argon2.PasswordHasher)
    _known: anyio.CapacityLimiter = attrs.field(factory=_one_at_a_time)
    _others: anyio.CapacityLimiter = attrs.field(factory=_one_at_a_time)

    async def hash(self, password: str) -> str:
        """Return the hash that is stored instead of a password.

        Args:
            password: Password as typed, by a person who was invited or has given the old one.
        """
        return await anyio.to_thread.run_sync(self.hasher.hash, _normal(password), limiter=self._known)

    async def verify(self, stored: str | None, password: str, *, is_known: bool = False) -> bool:
        """Return whether a password matches the stored hash; takes the same time without one.

        Args:
            stored: Result of `hash`; None if the user does not exist or has no password.
            password: Password as typed.
            is_known: Whether the account signed in from the client's address before; then it waits for no stranger.
        """
        against = stored or _unmatchable(self.hasher)
        limiter = self._known if is_known else self._others
        is_right = await anyio.to_thread.run_sync(self._matches, against, _normal(password), limiter=limiter)
        return is_right and stored is not None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self.hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """Return the normalised form, independent of the keyboard (NIST SP 800-63B section 5.1.1.2).

    A text too long for a password is returned unchanged, and matches none: normalising takes a time squared.
    """
    return unicodedata.normalize("NFKC", password) if len(password) <= _MAX_TYPED else password


def _unmatchable(hasher: argon2.PasswordHasher) -> str:
    """Return a hash that matches no password, with the same cost as a real one."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${_random(hasher.salt_len)}${_random(hasher.hash_len)}"


def _random(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
