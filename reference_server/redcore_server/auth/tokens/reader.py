"""Reads access tokens with the keyring of this process, and caches verified signatures.

Checking a signature costs more than all other checks of a token. The claims are cached by the token's digest: expiry is
checked each time here, and revocation each time in Redis by the callers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from starlette.concurrency import run_in_threadpool

from redcore_server.auth.secret import digest
from redcore_server.auth.tokens.access_token import AccessToken, AccessTokens, UnknownKey, require_living
from redcore_server.auth.tokens.signing_keys import Keyring, SigningKeys
from redcore_server.clock import Clock

_MOST: Final = 10_000  # about 10 MB; then the cache is cleared


class TokenReader:
    """Reads the tokens of one issuer.

    The cache is dropped with the keyring, which is reloaded each minute, so nothing of a withdrawn key remains.
    """

    def __init__(self, tokens: AccessTokens, keys: SigningKeys, clock: Clock) -> None:
        """Start with an empty cache.

        Args:
            tokens: Reads one token.
            keys: Keyring for verification.
        """
        self._tokens = tokens
        self._keys = keys
        self._clock = clock
        self._ring: Keyring | None = None
        self._read: dict[bytes, AccessToken] = {}

    async def read(self, text: str, *, at: datetime | None = None) -> AccessToken:
        """Return the claims of a token; reload the keyring if the key is unknown to this node.

        Args:
            text: The presented text.
            at: Time at which it must not have expired; None is now.

        Raises:
            InvalidToken: Or a subclass; see `AccessTokens.read`.
        """
        now = at or self._clock.now()
        ring = await self._keys.current()
        try:
            return self._remembered(text, ring, now)
        except UnknownKey:
            return self._tokens.read(text, await run_in_threadpool(self._keys.reload), now)

    def _remembered(self, text: str, ring: Keyring, now: datetime) -> AccessToken:
        if ring is not self._ring or len(self._read) >= _MOST:
            self._ring, self._read = ring, {}
        name = digest(text)
        token = self._read.get(name)
        if token is None:
            token = self._read[name] = self._tokens.read(text, ring, now)
        require_living(token, now)
        return token
