"""A token pair and its lifetime."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import attrs

from redcore._base.public import public
from redcore._base.response import Response
from redcore.exceptions import ResponseError

if TYPE_CHECKING:
    from redcore._spec.models import TokenResponse

LEEWAY_S = 30.0  # a token about to expire is refreshed before it can expire in transit
LARGEST_LEEWAY = 0.25  # of the lifetime
AHEAD = 0.1  # fraction of the lifetime that remains when a valid token is refreshed early
SHORTEST_AHEAD_S = 300.0  # a shorter lifetime leaves too little time between refreshing early and expiry
FOREVER_S = 2**53  # the longest lifetime; a server may name an integer that no float can hold
CLOCK_TOLERANCE_S = 60.0  # the clocks of machines that share a cache differ by less


@public
@attrs.frozen(kw_only=True)
class TokenSet:
    """The result of the token endpoint: an access token and its refresh token. Its repr shows neither."""

    access_token: str = attrs.field(repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    """Can be used once; None if the grant returned none."""
    expires_at: float | None = None
    """When the access token expires, in Unix seconds by the client's clock; None if unknown."""
    scope: str | None = None
    """Scopes granted, separated by spaces; None if the server did not say."""
    token_type: str = "Bearer"  # noqa: S105 (RFC 6750, no secret)
    issued_at: float | None = None
    """When the token was issued, in Unix seconds by the client's clock; None if unknown."""

    def is_fresh(self, now: float) -> bool:
        """Whether the access token is valid for longer than the leeway; assumed if its expiry is unknown.

        False if it was issued in the future: the clock was set back, so its expiry cannot be trusted. An empty access
        token is one that is still to be obtained, or that a session that has ended lacks.
        """
        if not self.access_token:
            return False
        if self.issued_at is not None and self.issued_at > now + CLOCK_TOLERANCE_S:
            return False
        return self.expires_at is None or now + LEEWAY_S < self.expires_at or now + self._leeway_s() < self.expires_at

    def _leeway_s(self) -> float:
        """The leeway; shorter than usual for a token whose lifetime is no longer, which each call would refresh."""
        if self.expires_at is None or self.issued_at is None:
            return LEEWAY_S
        return min(LEEWAY_S, max(0.0, self.expires_at - self.issued_at) * LARGEST_LEEWAY)

    def is_ageing(self, now: float, draw: float) -> bool:
        """Whether to refresh the access token early, although it is still fresh.

        Args:
            now: In Unix seconds.
            draw: A number from [0, 1) that differs between clients, so that they do not all refresh at once: the
                refresh begins when 15 % to 5 % of the lifetime remains.
        """
        if self.expires_at is None or self.issued_at is None:
            return False
        lifetime_s = self.expires_at - self.issued_at
        return lifetime_s >= SHORTEST_AHEAD_S and now >= self.expires_at - lifetime_s * AHEAD * (1.5 - draw)

    def as_dict(self) -> dict[str, Any]:
        """The fields as a dict, for storing; `TokenSet(**stored)` restores the object."""
        return attrs.asdict(self)


def granted(given: TokenResponse, response: Response, now: float, refresh_token: str | None = None) -> TokenSet:
    """Make a `TokenSet` from the response to a grant.

    Args:
        given: What the token endpoint gave.
        response: Its response, for the error.
        now: In Unix seconds.
        refresh_token: The refresh token to keep if the response has none.

    Raises:
        ResponseError: a token cannot be sent in a header.
    """
    tokens = TokenSet(
        access_token=given.access_token,
        # RFC 6749 section 6: without a new refresh token, the current one stays valid.
        refresh_token=given.refresh_token or refresh_token,
        expires_at=now + min(given.expires_in, FOREVER_S),
        scope=given.scope,
        token_type=given.token_type,
        issued_at=now,
    )
    if not tokens.access_token or flaw(tokens) is not None:
        raise ResponseError(
            "the token endpoint sent a token that no header can hold",
            response=Response(response.status_code, response.headers),  # without the tokens
        )
    return tokens


def flaw(tokens: TokenSet, *, may_have_ended: bool = False) -> str | None:
    """Why tokens from outside, such as from a cache, are unusable; None if they are valid. Never quotes a value.

    Args:
        tokens: The tokens.
        may_have_ended: Whether they may be what a dead refresh token leaves in a cache: no token at all.
    """
    is_empty = tokens.access_token == "" and (may_have_ended or tokens.refresh_token is not None)
    if not is_empty and not is_sendable(tokens.access_token):
        return "an access_token that cannot be sent"
    if tokens.refresh_token is not None and not is_sendable(tokens.refresh_token):
        return "a refresh_token that cannot be sent"
    if not all(is_moment(moment) for moment in (tokens.expires_at, tokens.issued_at) if moment is not None):
        return "a time that is not a number of seconds"
    if not all(isinstance(text, str | None) for text in cast("tuple[object, ...]", (tokens.scope, tokens.token_type))):
        return "a scope or a token_type that is not a string"
    return None


def is_sendable(secret: object) -> bool:
    """Whether a secret can be sent in a header: a non-empty string of visible ASCII."""
    return isinstance(secret, str) and bool(secret) and all("!" <= character <= "~" for character in secret)


def is_moment(value: object) -> bool:
    """Whether a value is a time in Unix seconds."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False
