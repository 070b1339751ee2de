"""Signing keys: made once, rotated with an overlap, dropped when they expire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from tests.server.support.tenants import SIGNING_KEY_PERIOD

from redcore_server.auth.tokens.signing_keys import SigningKeys
from redcore_server.clock import Clock
from redcore_server.store.postgres import Pool

LEAD_S = 900
TOKEN_AND_MARGIN_S = 3660


def names(keys: SigningKeys, clock: Clock) -> list[str]:
    """Return the published keys, oldest first."""
    return [str(key["kid"]) for key in keys.ring().jwks(clock.now())["keys"]]


def test_nodes_starting_together_make_one_key(pool: Pool, clock: Clock) -> None:
    """The first start makes the key under a lock; all nodes sign with the same."""
    with ThreadPoolExecutor(4) as threads:
        kids = set(
            threads.map(lambda _: SigningKeys(pool, clock, SIGNING_KEY_PERIOD).ring().signer(clock.now()).kid, range(4))
        )

    assert len(kids) == 1


def test_rotation_overlaps(pool: Pool, clock: Clock) -> None:
    """The new key is published before it signs; the old one stays until its last token has expired."""
    keys = SigningKeys(pool, clock, SIGNING_KEY_PERIOD)
    old = keys.ring().signer(clock.now()).kid
    new = keys.rotate()

    assert names(keys, clock) == [old, new]
    assert keys.ring().signer(clock.now()).kid == old

    clock.advance(LEAD_S)
    assert keys.ring().signer(clock.now()).kid == new
    assert names(keys, clock) == [old, new]

    clock.advance(TOKEN_AND_MARGIN_S)
    assert names(keys, clock) == [new]
    assert keys.ring().find(old, clock.now()) is None


def test_other_nodes_learn_a_new_key_when_they_meet_it(
    pool: Pool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node with a fresh copy reloads for an unknown key, but not more than once a second."""
    monkeypatch.setattr("redcore_server.auth.tokens.signing_keys.time", SimpleNamespace(monotonic=lambda: 100.0))
    here, there = SigningKeys(pool, clock, SIGNING_KEY_PERIOD), SigningKeys(pool, clock, SIGNING_KEY_PERIOD)
    there.ring()
    new = here.rotate()

    assert there.ring().find(new, clock.now()) is None
    assert there.reload().find(new, clock.now()) is None  # too young to be read again
    assert there.reload(older_than_s=0).find(new, clock.now()) is not None


def test_a_key_is_checked_once(pool: Pool, clock: Clock) -> None:
    """Its primes take tens of milliseconds, of which callers with invented key ids could take one share a second."""
    keys = SigningKeys(pool, clock, SIGNING_KEY_PERIOD)
    before = keys.ring().keys[0].key.private_key

    assert keys.reload(older_than_s=0).keys[0].key.private_key is before


def test_clock_moved_back_still_signs(pool: Pool, clock: Clock) -> None:
    """The lab may return to a time before the first key; it then signs all the same."""
    clock.advance(1000)
    keys = SigningKeys(pool, clock, SIGNING_KEY_PERIOD)
    kid = keys.ring().signer(clock.now()).kid

    clock.reset()

    assert keys.ring().signer(clock.now()).kid == kid


def test_private_halves_are_not_shown(pool: Pool, clock: Clock) -> None:
    """Neither the key set nor a repr contains a private number."""
    keys = SigningKeys(pool, clock, SIGNING_KEY_PERIOD)
    (jwk,) = keys.ring().jwks(clock.now())["keys"]

    assert sorted(jwk) == ["alg", "e", "kid", "kty", "n", "use"]
    assert "RSAKey" not in repr(keys.ring())
