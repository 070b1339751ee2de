"""Opaque secrets: client secrets, API keys, refresh tokens.

They are 256 random bits, so one round of SHA-256 protects them at rest; passwords, which people choose, are
not handled here.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from redcore_server.ids import random_text

_LENGTH: Final = 43  # 62^43 > 2^256


def new_secret(prefix: str = "") -> str:
    """Return a fresh secret.

    Args:
        prefix: Lets people and secret scanners recognise it; adds no entropy.
    """
    return prefix + random_text(_LENGTH)


def digest(secret: str) -> bytes:
    """Return what is stored instead of the secret.

    Args:
        secret: As presented, of any content.
    """
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, stored: bytes) -> bool:
    """Compare in constant time.

    Args:
        secret: As presented.
        stored: What `digest` returned for the true one.
    """
    return hmac.compare_digest(digest(secret), stored)
