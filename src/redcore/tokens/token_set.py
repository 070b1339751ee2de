"""A token pair and how long it is good for."""

from __future__ import annotations

from typing import Any

import attrs

LEEWAY_S = 30.0  # a token about to end is renewed before it fails on its way


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

    def is_fresh(self, now: float) -> bool:
        """Whether the access token will live longer than the leeway; assumed if its end is not known."""
        return self.expires_at is None or now + LEEWAY_S < self.expires_at

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, for storing; `TokenSet(**stored)` is the way back."""
        return attrs.asdict(self)
