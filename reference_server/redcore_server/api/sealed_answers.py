"""What may be stored of a request with an `Idempotency-Key`: neither the key nor the answer, which may show a secret.

Only who has the key can find the row and open the answer in it (docs/adr/0016-sealed-answers.md). Derives and
encrypts; stores nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

import attrs
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12


@attrs.frozen
class Seal:
    """One caller's `Idempotency-Key`, and what is derived from it.

    Attributes:
        principal: Whose key it is; equal keys of two callers have nothing in common.
        key: As the client sent it.
    """

    principal: str
    key: str = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """What the row is found by."""
        return self._derived("name").hex()

    def close(self, body: bytes, context: bytes) -> bytes:
        """Encrypt an answer.

        Args:
            body: Of the answer.
            context: Without which it cannot be opened.
        """
        # The same key may come again after a day, with another answer, so the nonce is random.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, body, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt an answer.

        Args:
            sealed: What `close` returned.
            context: As it was given to `close`.

        Raises:
            cryptography.exceptions.InvalidTag: it was closed with another key or context, or was changed.
        """
        return self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)

    def _cipher(self) -> AESGCM:
        return AESGCM(self._derived("body"))

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(
            self.key.encode(), f"redcore idempotency {purpose} {self.principal}".encode(), hashlib.sha256
        )
