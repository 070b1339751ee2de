"""Opaque secrets: client secrets, API keys, refresh tokens.

They are 256 random bits, so one round of SHA-256 protects them at rest. Passwords chosen by people are not handled
here.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from redcore_server.ids import random_text

_LENGTH: Final = 43  # 62^43 > 2^256


def new_secret(prefix: str = "") -> str:
    """Return a new secret.

    Args:
        prefix: Prefix for people and secret scanners; adds no entropy.
    """
    return prefix + random_text(_LENGTH)


def digest(secret: str) -> bytes:
    """Return the digest that is stored instead of the secret.

    Args:
        secret: The presented value; may be any text.
    """
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, stored: bytes) -> bool:
    """Compare in constant time.

    Args:
        secret: The presented value.
        stored: Result of `digest` for the real secret.
    """
    return hmac.compare_digest(digest(secret), stored)
