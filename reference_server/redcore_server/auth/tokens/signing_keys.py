"""The keys that sign access tokens: created once, stored in PostgreSQL, shared by all nodes.

A key is published before it signs and stays published until its last token has expired. There is no timer: a node that
reads the keyring (each busy node does once a minute) and finds the newest key too old creates the next one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import attrs
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import RSAKey
from starlette.concurrency import run_in_threadpool

from redcore_server.auth.lifetimes import ACCESS_TOKEN_S, KEY_LEAD_S
from redcore_server.clock import Clock
from redcore_server.ids import random_text
from redcore_server.store.postgres import Pool, Postgres, queries

_BITS: Final = 2048  # RFC 7518 section 3.3, the minimum: each further bit makes every check slower
_LOCK: Final = 0x7265_6463_6B65_79  # "redckey"
_CACHE_S: Final = 60.0  # a new key is published long before it signs (`KEY_LEAD_S`)
_RETIREMENT_MARGIN_S: Final = 60  # for clocks that differ
_QUERIES: Final = queries("signing_keys")


@attrs.frozen
class SigningKey:
    """One key pair and the times between which it signs and verifies."""

    kid: str
    key: RSAKey = attrs.field(repr=False)
    active_at: datetime
    retired_at: datetime | None


@attrs.frozen
class Keyring:
    """All published keys, oldest first."""

    keys: tuple[SigningKey, ...]

    def signer(self, now: datetime) -> SigningKey:
        """Return the newest key that may sign; if none may yet (a clock moved back), the oldest.

        Args:
            now: Current time of the server's clock.
        """
        active = [key for key in self.keys if key.active_at <= now]
        return active[-1] if active else self.keys[0]

    def find(self, kid: object, now: datetime) -> RSAKey | None:
        """Return the key with this id, unless it is unknown or retired.

        Args:
            kid: From a token's header, of any type.
            now: Current time of the server's clock.
        """
        for key in self.keys:
            if key.kid == kid and (key.retired_at is None or key.retired_at > now):
                return key.key
        return None

    def jwks(self, now: datetime) -> dict[str, list[Mapping[str, Any]]]:
        """Return the public keys as a JWK Set (RFC 7517 section 5).

        Args:
            now: Current time of the server's clock.
        """
        return {"keys": [key.key.as_dict(private=False) for key in self.keys if self.find(key.kid, now)]}


class SigningKeys:
    """The keyring of this process; it blocks on PostgreSQL, so async code calls it in a thread.

    Other nodes learn of a rotation or a withdrawn key when their copy is a minute old, or immediately when a token
    names an unknown key.
    """

    def __init__(self, pool: Pool, clock: Clock, period: timedelta) -> None:
        """Start with an empty copy.

        Args:
            pool: Connection pool for reads and writes.
            period: How long a key signs before it is rotated.
        """
        self._pool = pool
        self._clock = clock
        self._period = period
        self._lock = threading.Lock()
        self._ring: Keyring | None = None
        self._read_at = float("-inf")

    @property
    def cached(self) -> Keyring | None:
        """The keyring if it is fresh enough to use without asking PostgreSQL."""
        return self._ring if time.monotonic() - self._read_at < _CACHE_S else None

    def ring(self) -> Keyring:
        """Return the keyring, reloaded if it is a minute old; creates the first key, and the next one when due."""
        return self.cached or self.reload(older_than_s=_CACHE_S)

    async def current(self) -> Keyring:
        """Return the same, as a coroutine."""
        ring = self.cached
        return await run_in_threadpool(self.ring) if ring is None else ring

    def reload(self, *, older_than_s: float = 1.0) -> Keyring:
        """Reload the keyring, unless it is very recent.

        Args:
            older_than_s: Minimum age for a reload; key ids invented by callers must not flood PostgreSQL.
        """
        with self._lock:
            if self._ring is None or time.monotonic() - self._read_at >= older_than_s:
                ring = self._read()
                self._ring = self._renewed() if ring is None or self._is_due(ring) else ring
                self._read_at = time.monotonic()
            return self._ring

    def rotate(self) -> str:
        """Publish a new key that will sign after `KEY_LEAD_S`, and set the expiry of the older ones.

        Returns:
            The id of the new key.
        """
        with self._pool.connection() as connection, connection.transaction():
            connection.execute(_QUERIES["lock"], {"lock": _LOCK})
            kid = self._add(connection, lead_s=KEY_LEAD_S)
        self.reload(older_than_s=0)
        return kid

    def _is_due(self, ring: Keyring) -> bool:
        # The next key is created early, by the lead time, so that each signs for one period.
        lead = timedelta(seconds=KEY_LEAD_S)
        return ring.keys[-1].active_at + self._period - lead <= self._clock.now()

    def _read(self) -> Keyring | None:
        with self._pool.connection() as connection:
            return self._published(connection)

    def _renewed(self) -> Keyring:
        """Create the first or the next key, exactly once even if several nodes find it missing together."""
        with self._pool.connection() as connection, connection.transaction():
            connection.execute(_QUERIES["lock"], {"lock": _LOCK})
            ring = self._published(connection)
            if ring is None:
                self._add(connection, lead_s=0)
            elif self._is_due(ring):
                self._add(connection, lead_s=KEY_LEAD_S)
            ring = self._published(connection)
        assert ring is not None  # noqa: S101 - there is at least the new one
        return ring

    def _add(self, connection: Postgres, *, lead_s: int) -> str:
        new = _generate(self._clock.now(), lead_s=lead_s)
        connection.execute(_QUERIES["add"], new)
        last_token_ends = new["active_at"] + timedelta(seconds=ACCESS_TOKEN_S + _RETIREMENT_MARGIN_S)
        connection.execute(_QUERIES["retire_others"], {"kid": new["kid"], "retired_at": last_token_ends})
        return str(new["kid"])

    def _published(self, connection: Postgres) -> Keyring | None:
        rows = connection.execute(_QUERIES["published"], {"now": self._clock.now()}).fetchall()
        return Keyring(tuple(_parse(row) for row in rows)) if rows else None


def _generate(now: datetime, *, lead_s: int) -> dict[str, Any]:
    """Return a new row; it takes about 0.1 s."""
    pem = RSAKey.generate_key(_BITS).as_pem(private=True).decode()
    return {
        "kid": random_text(22),
        "private_pem": pem,
        "created_at": now,
        "active_at": now + timedelta(seconds=lead_s),
        "retired_at": None,
    }


def _parse(row: Mapping[str, Any]) -> SigningKey:
    key = RSAKey.import_key(_checked(row["private_pem"]), {"kid": row["kid"], "use": "sig", "alg": "RS256"})
    return SigningKey(row["kid"], key, row["active_at"], row["retired_at"])


@lru_cache(maxsize=8)
def _checked(pem: str) -> RSAPrivateKey:
    """Return a private key, kept between reloads: checking its primes takes about 40 ms."""
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)  # noqa: S101 - `_generate` makes no other
    return key
