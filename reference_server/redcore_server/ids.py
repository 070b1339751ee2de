"""Identifiers: a prefix that names the type, then 131 random bits in base 62.

They are unguessable but not secret: they appear in logs and URLs. Credentials are created in `redcore_server.auth`.
"""

from __future__ import annotations

import secrets
import string
from typing import Final, Literal

Prefix = Literal["usr", "prod", "wfr", "file", "key", "app", "org", "req", "inv", "grt"]

_ALPHABET: Final = (string.digits + string.ascii_letters).encode()
# From this byte on, some letters would come more often than others.
_EVEN: Final = 256 // len(_ALPHABET) * len(_ALPHABET)
_LETTERS: Final = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_DROPPED: Final = bytes(range(_EVEN, 256))  # all other values of a byte
_LENGTH: Final = 22  # of 62 letters: 131 bits, as random as a UUID


def random_text(length: int) -> str:
    """Return random letters and digits, 5.95 bits each.

    Args:
        length: Number of characters.
    """
    text = b""
    while len(text) < length:
        text += secrets.token_bytes(length + 8).translate(_LETTERS, _DROPPED)  # one byte in 32 is dropped
    return text[:length].decode()


def new_id(prefix: Prefix) -> str:
    """Return a new identifier such as `usr_4fGk0…`.

    Args:
        prefix: Prefix of the resource type.
    """
    return f"{prefix}_{random_text(_LENGTH)}"
