"""Signing keys rotate on schedule, without any effect on tokens and verifiers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from tests.server.support.tenants import SIGNING_KEY_PERIOD, Client

from redcore_server.auth.app import Auth
from redcore_server.auth.lifetimes import ACCESS_TOKEN_S, JWKS_CACHE_S, KEY_LEAD_S
from redcore_server.auth.tokens.signing_keys import SigningKeys
from redcore_server.clock import Clock
from redcore_server.store.postgres import Pool

LEAD = timedelta(seconds=KEY_LEAD_S)


def published(keys: SigningKeys, clock: Clock) -> list[str]:
    ring = keys.reload(older_than_s=0)
    return [str(key["kid"]) for key in ring.jwks(clock.now())["keys"]]


def test_a_key_signs_for_one_period(pool: Pool, clock: Clock) -> None:
    """The next one is published ahead of time, signs on time, and outlives its predecessor's last token."""
    keys = SigningKeys(pool, clock, SIGNING_KEY_PERIOD)
    (first,) = published(keys, clock)

    clock.advance((SIGNING_KEY_PERIOD - LEAD).total_seconds() - 60)
    assert published(keys, clock) == [first]

    clock.advance(61)
    old, new = published(keys, clock)
    assert (old, keys.ring().signer(clock.now()).kid) == (first, first)

    clock.advance(KEY_LEAD_S)
    assert keys.ring().signer(clock.now()).kid == new
    assert published(keys, clock) == [first, new]

    clock.advance(ACCESS_TOKEN_S + 60)
    assert published(keys, clock) == [new]

    clock.advance(SIGNING_KEY_PERIOD.total_seconds())
    assert published(keys, clock)[0] == new
    assert len(published(keys, clock)) == 2


def test_nodes_that_find_a_rotation_due_together_make_one_key(pool: Pool, clock: Clock) -> None:
    """The keyring is renewed under a lock, and read again in it."""
    nodes = [SigningKeys(pool, clock, SIGNING_KEY_PERIOD) for _ in range(4)]
    nodes[0].ring()
    clock.advance(SIGNING_KEY_PERIOD.total_seconds())

    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(lambda node: tuple(published(node, clock)), nodes))

    assert [len(kids) for kids in found] == [2]


class JwksVerifier:
    """A third-party resource server: caches the key set and reads it again for an unknown `kid`."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._keys = KeySet([])
        self._read_at = float("-inf")

    async def verifies(self, token: str) -> bool:
        if self._clock.time() - self._read_at >= JWKS_CACHE_S:
            await self._refetch()
        try:
            return self._signed(token)
        except (JoseError, ValueError):
            await self._refetch()
            return self._signed(token)

    def _signed(self, token: str) -> bool:
        return bool(jwt.decode(token, self._keys, algorithms=["RS256"]))

    async def _refetch(self) -> None:
        self._keys = KeySet.import_key_set((await self._http.get("/.well-known/jwks.json")).json())
        self._read_at = self._clock.time()


@pytest.mark.anyio
async def test_tokens_verify_until_they_expire_whatever_rotates(
    auth: Auth, http: httpx.AsyncClient, client: Client, clock: Clock
) -> None:
    """Every five minutes around two rotations a token is issued; each verifies, here and outside, until it expires."""
    outside = JwksVerifier(http, clock)
    alive: list[tuple[float, str]] = []
    signers = set()
    for minute in range(0, 4 * 60, 5):
        if minute in {60, 120}:
            auth.keys.rotate()
        form = {"grant_type": "client_credentials"}
        token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()["access_token"]
        alive = [(end, text) for end, text in alive if end > clock.time() + 1]
        alive.append((clock.time() + ACCESS_TOKEN_S, token))
        for _, text in alive:
            assert await outside.verifies(text)
            await auth.verifier.verify(text)
        signers.add(jwt.decode(token, outside._keys, algorithms=["RS256"]).header["kid"])
        clock.advance(300)

    assert len(signers) == 3


def test_a_node_rotates_by_itself(pool: Pool, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is needed: the first look at the keyring after the period finds the next key in it."""
    keys = SigningKeys(pool, clock, SIGNING_KEY_PERIOD)
    before = keys.ring()
    clock.advance(SIGNING_KEY_PERIOD.total_seconds())
    assert keys.ring() is before
    monkeypatch.setattr(keys, "_read_at", float("-inf"))  # a minute of real time has passed

    assert len(keys.ring().keys) == len(before.keys) + 1
