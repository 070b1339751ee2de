"""Identifiers: a prefix that names the type, then 131 random bits in base 62.

They are unguessable but not secret: they appear in logs and URLs. Credentials are created in `redcore_server.auth`.
"""

from __future__ import annotations

import secrets
import string
from typing import Final, Literal

Prefix = Literal["usr", "prod", "wfr", "file", "key", "app", "org", "req", "inv", "grt"]

_ALPHABET: Final = string.digits + string.ascii_letters
_LENGTH: Final = 22


def random_text(length: int) -> str:
    """Return random letters and digits, 5.95 bits each.

    Args:
        length: Number of characters.
    """
    number = secrets.randbelow(62**length)
    characters: list[str] = []
    for _ in range(length):
        number, remainder = divmod(number, 62)
        characters.append(_ALPHABET[remainder])
    return "".join(characters)


def new_id(prefix: Prefix) -> str:
    """Return a new identifier such as `usr_4fGk0…`.

    Args:
        prefix: Prefix of the resource type.
    """
    return f"{prefix}_{random_text(_LENGTH)}"
