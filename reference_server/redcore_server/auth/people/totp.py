"""The second factor: six digits from an authenticator app (RFC 6238), and its QR code.

Pure: the caller stores the last used step and ensures that no code is accepted twice.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

import segno
from pyotp import random_base32
from pyotp.hotp import HOTP
from pyotp.totp import TOTP

ISSUER: Final = "BlueRound"
_STEP_S: Final = 30  # RFC 6238 section 5.2
_DRIFT_STEPS: Final = 1  # RFC 6238 section 5.2
_SECRET: Final = re.compile(r"[A-Z2-7]{32}", re.ASCII)
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)


def new_totp_secret() -> str:
    """Return 160 random bits in base 32 (RFC 4226 section 4 R6)."""
    return random_base32()


def is_totp_secret(text: str) -> bool:
    """Return whether a text has the format of a secret.

    Args:
        text: Text from a submitted form.
    """
    return _SECRET.fullmatch(text) is not None


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the time step of a code, if it is the current step or a neighbour.

    Args:
        secret: Base32-encoded secret.
        code: Code as typed; spaces are ignored.
        now: Current time in Unix seconds, from the server's clock.
    """
    digits = "".join(code.split())
    if not _CODE.fullmatch(digits):
        return None
    hotp, current = HOTP(secret), int(now) // _STEP_S
    steps = range(current - _DRIFT_STEPS, current + _DRIFT_STEPS + 1)
    matching = [step for step in steps if hmac.compare_digest(hotp.at(step), digits)]
    return max(matching, default=None)


def qr_code(secret: str, email: str) -> str:
    """Return the QR code that an authenticator scans, an SVG as a `data:` URL.

    Args:
        secret: Base32-encoded secret.
        email: Account name shown in the authenticator.
    """
    address = TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    return segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=2, light="#fff")
