"""A token pair and how long it is good for."""

from __future__ import annotations

import math
from typing import Any, cast

import attrs

from redcore._base.public import public

LEEWAY_S = 30.0  # a token about to end is renewed before it fails on its way
AHEAD = 0.1  # the share of a lifetime that is left when a token that still works is renewed
SHORTEST_AHEAD_S = 300.0  # of a shorter lifetime too little would be left between renewing ahead and having to
CLOCK_TOLERANCE_S = 60.0  # the clocks of machines that share a cache differ by less


@public
@attrs.frozen(kw_only=True)
class TokenSet:
    """What the token endpoint gave: an access token, and what renews it. Its repr shows neither."""

    access_token: str = attrs.field(repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    """Works once; None if the grant gave none."""
    expires_at: float | None = None
    """When the access token ends, in Unix seconds by the client's clock; None if that is not known."""
    scope: str | None = None
    """Scopes granted, separated by spaces; None if the server did not say."""
    token_type: str = "Bearer"  # noqa: S105 (RFC 6750, no secret)
    issued_at: float | None = None
    """When it was given, in Unix seconds by the client's clock; None if that is not known."""

    def is_fresh(self, now: float) -> bool:
        """Whether the access token will live longer than the leeway; assumed if its end is not known.

        Not if it was issued in the future: the clock was set back, and its end says nothing.
        """
        if self.issued_at is not None and self.issued_at > now + CLOCK_TOLERANCE_S:
            return False
        return self.expires_at is None or now + LEEWAY_S < self.expires_at

    def is_ageing(self, now: float, draw: float) -> bool:
        """Whether it is time to renew the access token ahead, although it is fresh.

        Args:
            now: In Unix seconds.
            draw: A number from [0, 1) that differs between clients, so that they do not all begin at once: from 15 %
                to 5 % of the lifetime is left then.
        """
        if self.expires_at is None or self.issued_at is None:
            return False
        lifetime_s = self.expires_at - self.issued_at
        return lifetime_s >= SHORTEST_AHEAD_S and now >= self.expires_at - lifetime_s * AHEAD * (1.5 - draw)

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, for storing; `TokenSet(**stored)` is the way back."""
        return attrs.asdict(self)


def flaw(tokens: TokenSet) -> str | None:
    """What makes tokens from outside unusable, such as those of a cache; None if nothing does. Quotes no value."""
    if not is_sendable(tokens.access_token) and (tokens.access_token != "" or tokens.refresh_token is None):
        return "an access_token that cannot be sent"
    if tokens.refresh_token is not None and not is_sendable(tokens.refresh_token):
        return "a refresh_token that cannot be sent"
    if not all(is_moment(moment) for moment in (tokens.expires_at, tokens.issued_at) if moment is not None):
        return "a time that is not a number of seconds"
    if not all(isinstance(text, str | None) for text in cast("tuple[object, ...]", (tokens.scope, tokens.token_type))):
        return "a scope or a token_type that is not a string"
    return None


def is_sendable(secret: object) -> bool:
    """Whether a secret can stand in a header: a string of visible ASCII, at least one character."""
    return isinstance(secret, str) and bool(secret) and all("!" <= character <= "~" for character in secret)


def is_moment(value: object) -> bool:
    """Whether a value is a moment in Unix seconds."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
