"""How long credentials and keys live, in seconds: the numbers of contract section 6, in one place."""

from __future__ import annotations

from typing import Final

ACCESS_TOKEN_S: Final = 3600
REFRESH_TOKEN_S: Final = 30 * 24 * 3600  # sliding: counted from its last rotation

# A new signing key is published this long before it signs, so that verifiers which cache the key set know it.
KEY_LEAD_S: Final = 900
JWKS_CACHE_S: Final = 300

# Redis forgets a grant this long after it ended by the server's clock, which the lab may have moved.
GRANT_GARBAGE_S: Final = REFRESH_TOKEN_S + 24 * 3600

# Browsers: a day's work, then sign in again. A code is fetched by a program that waits for it.
SESSION_S: Final = 12 * 3600
SECOND_FACTOR_S: Final = 600  # to find the telephone after the password
CODE_S: Final = 60
