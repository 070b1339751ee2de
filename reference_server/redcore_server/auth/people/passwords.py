"""Passwords that people choose: their rules, and argon2id for what is stored.

Hashing takes tens of milliseconds and 64 MiB, so it runs in threads of its own, a few at a time. A password that
is checked against nothing costs the same, or the time would tell who has an account.
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

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128
_PARALLEL: Final = 2


def problem(password: str, *, email: str) -> str | None:
    """Return what is wrong with a new password, as a sentence, or None.

    Args:
        password: Password as typed.
        email: Of the person.
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


@attrs.frozen
class Passwords:
    """Hashes and checks passwords.

    Attributes:
        hasher: Argon2id with the parameters of RFC 9106 for little memory.
    """

    hasher: argon2.PasswordHasher = attrs.field(factory=argon2.PasswordHasher)
    _limiter: anyio.CapacityLimiter = attrs.field(factory=lambda: anyio.CapacityLimiter(_PARALLEL))

    async def hash(self, password: str) -> str:
        """Return what is stored instead of a password.

        Args:
            password: Password as typed.
        """
        return await anyio.to_thread.run_sync(self.hasher.hash, _normal(password), limiter=self._limiter)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the stored one; it takes the same time if none is stored.

        Args:
            stored: What `hash` returned; None if the user does not exist or never chose one.
            password: Password as typed.
        """
        against = stored or _unmatchable(self.hasher)
        is_right = await anyio.to_thread.run_sync(self._matches, against, _normal(password), limiter=self._limiter)
        return is_right and stored is not None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self.hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """Return the form in which every keyboard types the same characters (NIST SP 800-63B section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _unmatchable(hasher: argon2.PasswordHasher) -> str:
    """Return a hash that nothing has, of the same cost as a true one."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${_random(hasher.salt_len)}${_random(hasher.hash_len)}"


def _random(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
