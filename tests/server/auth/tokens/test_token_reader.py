"""The cache of verified access tokens."""

from __future__ import annotations

from datetime import datetime

import attrs
import pytest
from tests.server.support.tenants import AUDIENCE, ISSUER

from redcore_server.auth.app import Auth
from redcore_server.auth.lifetimes import ACCESS_TOKEN_S
from redcore_server.auth.tokens.access_token import AccessToken, AccessTokens, expiry
from redcore_server.auth.tokens.reader import TokenReader
from redcore_server.auth.tokens.signing_keys import Keyring, SigningKeys
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken, TokenExpired

pytestmark = pytest.mark.anyio

TOKENS = AccessTokens(ISSUER, AUDIENCE)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were checked."""
    checked: list[str] = []
    read = AccessTokens.read

    def counting(self: AccessTokens, text: str, ring: Keyring, now: datetime) -> AccessToken:
        checked.append(text)
        return read(self, text, ring, now)

    monkeypatch.setattr(AccessTokens, "read", counting)
    return checked


@pytest.fixture
async def text(auth: Auth, clock: Clock) -> str:
    now = int(clock.time())
    token = AccessToken(
        jti="j",
        grant_id="grt_1",
        client_id="app_1",
        subject="app_1",
        organisation_id="org_1",
        plan="pro",
        scope="users:read",
        issued_at=now,
        expires_at=expiry(now),
    )
    return TOKENS.sign(token, await auth.keys.current(), clock.now())


async def test_a_signature_is_checked_once(auth: Auth, clock: Clock, text: str, verified: list[str]) -> None:
    """The second time the token is in the cache, with the same result."""
    reader = TokenReader(TOKENS, auth.keys, clock)

    assert await reader.read(text) == await reader.read(text)
    assert verified == [text]


async def test_a_cached_token_expires_in_time(auth: Auth, clock: Clock, text: str) -> None:
    """Its expiry is checked each time."""
    reader = TokenReader(TOKENS, auth.keys, clock)
    await reader.read(text)
    clock.advance(ACCESS_TOKEN_S)

    with pytest.raises(TokenExpired):
        await reader.read(text)


async def test_invalid_tokens_are_not_cached(auth: Auth, clock: Clock, text: str, verified: list[str]) -> None:
    """A changed signature is refused each time, also when the valid one is cached."""
    reader = TokenReader(TOKENS, auth.keys, clock)
    await reader.read(text)

    for _ in range(2):
        with pytest.raises(InvalidToken):
            await reader.read(f"{text}x")
    assert verified == [text, f"{text}x", f"{text}x"]


async def test_a_withdrawn_key_removes_its_tokens(
    auth: Auth, clock: Clock, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the keyring is read without the key, none of its tokens is cached."""
    reader = TokenReader(TOKENS, auth.keys, clock)
    await reader.read(text)
    other = attrs.evolve((await auth.keys.current()).keys[0], kid="other")
    monkeypatch.setattr(SigningKeys, "cached", Keyring((other,)))
    monkeypatch.setattr(SigningKeys, "reload", lambda _: Keyring((other,)))

    with pytest.raises(InvalidToken):
        await reader.read(text)


async def test_the_cache_is_bounded(
    auth: Auth, clock: Clock, text: str, verified: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is full it is emptied."""
    monkeypatch.setattr("redcore_server.auth.tokens.reader._MOST", 1)
    reader = TokenReader(TOKENS, auth.keys, clock)

    await reader.read(text)
    await reader.read(text)

    assert verified == [text, text]
