"""Encrypted storage for requests with an `Idempotency-Key`: key and answer, which may hold a secret, stay unreadable.

Only a caller with the key can find the row and decrypt its answer (docs/adr/0016-sealed-answers.md). Derives and
encrypts; stores nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

import attrs
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12  # NIST SP 800-38D section 5.2.1.1


@attrs.frozen
class Seal:
    """One caller's `Idempotency-Key`, and what is derived from it.

    Attributes:
        principal: Owner of the key; equal keys of two callers are unrelated.
        key: Key as sent by the client.
    """

    principal: str
    key: str = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """Lookup value of the row."""
        return self._derived("name").hex()

    def close(self, body: bytes, context: bytes) -> bytes:
        """Encrypt an answer.

        Args:
            body: Body of the answer.
            context: Associated data, required again for decryption.
        """
        # The same key may be used again after a day, with another answer, so the nonce is random.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, body, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt an answer.

        Args:
            sealed: Ciphertext returned by `close`.
            context: Associated data given to `close`.

        Raises:
            cryptography.exceptions.InvalidTag: It was encrypted with another key or context, or was modified.
        """
        return self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)

    def _cipher(self) -> AESGCM:
        return AESGCM(self._derived("body"))

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(
            self.key.encode(), f"redcore idempotency {purpose} {self.principal}".encode(), hashlib.sha256
        )
