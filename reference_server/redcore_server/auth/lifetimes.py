"""Lifetimes of credentials and keys, in seconds: the numbers of contract section 6."""

from __future__ import annotations

from typing import Final

ACCESS_TOKEN_S: Final = 3600  # contract section 6
REFRESH_TOKEN_S: Final = 30 * 24 * 3600  # sliding: counted from its last rotation

# A new signing key is published this long before it signs, so that verifiers that cache the key set know it.
KEY_LEAD_S: Final = 900
JWKS_CACHE_S: Final = 300  # a third of the lead: every cache has the key before it signs

# Redis expires a grant this long after its end by the server's clock, which the lab may have moved.
GRANT_GARBAGE_S: Final = REFRESH_TOKEN_S + 24 * 3600

# Browser sessions: a working day, then sign in again. A code is redeemed at once by a waiting program.
SESSION_S: Final = 12 * 3600
SECOND_FACTOR_S: Final = 600  # time to get the phone after the password
CODE_S: Final = 60  # RFC 6749 section 4.1.2: at most ten minutes, and short
