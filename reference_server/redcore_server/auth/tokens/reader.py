"""Reads access tokens with the keyring of this process, and remembers whose signatures were right.

Checking a signature costs more than everything else about a token. What is remembered is what the token says, under its
digest: whether it has ended is looked at each time, and whether it was revoked is asked of Redis by others, each time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from starlette.concurrency import run_in_threadpool

from redcore_server.auth.secret import digest
from redcore_server.auth.tokens.access_token import AccessToken, AccessTokens, UnknownKey, require_living
from redcore_server.auth.tokens.signing_keys import Keyring, SigningKeys
from redcore_server.clock import Clock

_MOST: Final = 10_000  # about 10 MB; then all are forgotten


class TokenReader:
    """Reads the tokens of one issuer.

    The memory ends with the keyring, which is read again each minute: of a key that was withdrawn nothing is left.
    """

    def __init__(self, tokens: AccessTokens, keys: SigningKeys, clock: Clock) -> None:
        """Start without memories.

        Args:
            tokens: Reads one token.
            keys: To verify with.
            clock: Source of the current time.
        """
        self._tokens = tokens
        self._keys = keys
        self._clock = clock
        self._ring: Keyring | None = None
        self._read: dict[bytes, AccessToken] = {}

    async def read(self, text: str) -> AccessToken:
        """Return what a token says, with a fresher keyring if it names a key this node has not seen.

        Args:
            text: The presented text.

        Raises:
            InvalidToken: See `AccessTokens.read`; with its subclasses.
        """
        now = self._clock.now()
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
