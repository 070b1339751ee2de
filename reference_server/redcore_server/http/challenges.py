"""Challenges of `WWW-Authenticate` (RFC 9110 section 11.6.1)."""

from __future__ import annotations

from typing import Final, Literal

REALM: Final = "BlueRound"


def challenge(scheme: Literal["Basic", "Bearer"], **parameters: str) -> str:
    """Return a challenge; its realm comes first, as `Basic` requires (RFC 7617 section 2) and old clients expect.

    Args:
        scheme: how to authenticate.
        parameters: of the challenge, beside the realm; they contain no quotes.
    """
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in {"realm": REALM, **parameters}.items())
