"""Serializes tokens for a shared store, encrypted if there is a key. Performs no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from redcore._wire.decoders import decoder
from redcore.exceptions import ConfigurationError
from redcore.tokens.token_set import TokenSet


class Unreadable(Exception):  # noqa: N818 (reads as the state it reports)
    """The entry was written with another key, for another name, or by another program. Never leaves this package."""


class Entry(msgspec.Struct, frozen=True):
    """The stored form: tokens with the name they are stored under, so that entries cannot be swapped."""

    name: str
    tokens: TokenSet


class Cipher(Protocol):
    """How entries are encrypted."""

    def encrypt(self, msg: bytes) -> bytes:
        """Encrypt an entry."""
        ...

    def decrypt(self, msg: bytes) -> bytes:
        """Decrypt an entry; Unreadable if no key fits."""
        ...


class Plain:
    """No encryption: everyone who can read the store can read the tokens."""

    def encrypt(self, msg: bytes) -> bytes:
        """Encrypt an entry."""
        return msg

    def decrypt(self, msg: bytes) -> bytes:
        """What was stored."""
        return msg


class Encrypted:
    """Encrypts with the first key, decrypts with any of the keys.

    Args:
        keys: Fernet keys.

    Raises:
        ConfigurationError: a key is invalid, there are no keys, or `cryptography` is not installed.
    """

    def __init__(self, keys: Sequence[str | bytes]) -> None:
        try:
            from cryptography import fernet  # noqa: PLC0415 (of the extra)
        except ImportError as problem:
            raise ConfigurationError("encryption_key needs cryptography: pip install 'redcore-sdk[redis]'") from problem
        try:
            self._fernet = fernet.MultiFernet([fernet.Fernet(key) for key in keys])
        except ValueError:  # not chained: it was made from a secret
            raise ConfigurationError(
                "encryption_key must be a Fernet key (32 bytes in URL-safe base64) or several of them; "
                "cryptography.fernet.Fernet.generate_key() makes one"
            ) from None
        self._invalid = fernet.InvalidToken

    def encrypt(self, msg: bytes) -> bytes:
        """Encrypt an entry."""
        return self._fernet.encrypt(msg)

    def decrypt(self, msg: bytes) -> bytes:
        """What was stored.

        Raises:
            Unreadable: no key fits.
        """
        try:
            return self._fernet.decrypt(msg)
        except self._invalid:
            raise Unreadable("cannot be decrypted with encryption_key") from None


def close(cipher: Cipher, name: str, tokens: TokenSet) -> bytes:
    """Serialize the tokens for a name."""
    return cipher.encrypt(msgspec.json.encode(Entry(name, tokens)))


def unclose(cipher: Cipher, name: str, stored: bytes) -> TokenSet:
    """Read the tokens that were stored under a name.

    Raises:
        Unreadable: they cannot be read.
    """
    try:
        entry: Entry = decoder(Entry)(cipher.decrypt(stored))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # not chained: it may quote what is stored
        raise Unreadable("is not what this cache writes") from None
    if entry.name != name:
        raise Unreadable("belongs to another entry")
    return entry.tokens
