"""Grants and refresh tokens in Redis.

A grant is the result of one authorisation: a family of refresh tokens, of which one is current, and their access
tokens. It is an allow-list: a token is valid only while the record of its grant exists, so a Redis that lost its data
accepts nothing. Every decision is one atomic script, and all keys of a grant are in one hash slot of a cluster. The
time is an argument; the TTLs only collect garbage.

If Redis has replicas, ending or rotating a token completes only when a replica has it; otherwise it raises, and a retry
is safe. So a failover does not restore revoked tokens (docs/adr/0050-revocations-wait-for-a-replica.md).
"""

# redis-py leaves `pipeline` untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, cast

import attrs
from redis.exceptions import RedisError

from redcore_server.auth.lifetimes import GRANT_GARBAGE_S, REFRESH_TOKEN_S
from redcore_server.auth.secret import digest, new_secret
from redcore_server.auth.tokens import redis_keys
from redcore_server.auth.tokens.access_token import AccessToken
from redcore_server.store import Stores
from redcore_server.store.redis import Argument

Rotation = Literal["rotated", "expired", "reused", "unknown"]

# Of an application for itself, and of used refresh tokens of a grant: as many as one address may ask for (600 a minute)
# while an access token lives, so that none ends in use. They take 50 MB and 6 MB of Redis.
MOST: Final = 36_000

_FORM: Final = re.compile(r"(grt_[0-9A-Za-z]+)\.[0-9A-Za-z]+", re.ASCII)
_SCRIPTS: Final = Path(__file__).with_name("scripts")


@attrs.frozen(kw_only=True)
class Grant:
    """The record of a token family: who may do what, until when."""

    id: str
    client_id: str
    organisation_id: str
    owner_id: str
    subject: str
    scope: str
    created_at: int
    expires_at: int
    """Expiry of the current refresh token, in Unix seconds."""
    refresh: str = attrs.field(repr=False)
    """Digest of the current refresh token."""


class GrantStore:
    """The grants."""

    def __init__(self, stores: Stores) -> None:
        self._redis = stores.redis
        self._replicated = stores.scripts.replicated
        self._add = stores.scripts.script(source("add"))
        self._index = stores.scripts.script(source("index"))
        self._rotate = stores.scripts.script(source("rotate"))
        self._revoke = stores.scripts.script(source("revoke"))
        self._take_back = stores.scripts.script(source("take_back"))
        self._owner = stores.scripts.script(source("owner"))

    async def add(self, grant: Grant) -> None:
        """Write a new grant.

        Args:
            grant: Grant with the digest of its first refresh token.
        """
        record: dict[Any, Any] = attrs.asdict(grant)
        grant_id = record.pop("id")
        fields = [part for field in record.items() for part in field]
        # Written concurrently: `TokenIssuer` handles grants that are revoked before they are indexed.
        await asyncio.gather(
            *self._indexed(grant, grant.expires_at, grant.created_at),
            self._add([redis_keys.grant(grant_id)], [GRANT_GARBAGE_S, *fields]),
        )

    async def of(self, refresh_token: str) -> Grant | None:
        """Return the grant of a refresh token; does not check that the token is the current one.

        Args:
            refresh_token: The presented value; may be any text.
        """
        grant_id = _grant_id(refresh_token)
        if grant_id is None:
            return None
        record = cast("dict[str, str]", await self._redis.hgetall(redis_keys.grant(grant_id)))
        if not record:
            return None
        return Grant(
            id=grant_id,
            client_id=record["client_id"],
            organisation_id=record["organisation_id"],
            owner_id=record["owner_id"],
            subject=record["subject"],
            scope=record["scope"],
            created_at=int(record["created_at"]),
            expires_at=int(record["expires_at"]),
            refresh=record["refresh"],
        )

    async def rotate(self, grant: Grant, presented: str, successor: str, now: int) -> Rotation:
        """Replace the current refresh token with its successor; presenting a used one ends the family instead.

        Args:
            grant: Result of `of` for the presented token.
            presented: The refresh token to use up.
            successor: From `new_refresh_token`.
            now: Current time in Unix seconds, from the server's clock.

        Raises:
            RedisError: No replica confirmed it; the presented token is the current one again.
        """
        expires_at = now + REFRESH_TOKEN_S
        # The indexes first: an extra entry is harmless, a missing one would survive `revoke_user`.
        await asyncio.gather(*self._indexed(grant, expires_at, now))
        arguments: list[Argument] = [
            grant.client_id,
            fingerprint(presented),
            fingerprint(successor),
            now,
            expires_at,
            now - REFRESH_TOKEN_S,
            GRANT_GARBAGE_S,
            MOST,
        ]
        outcome = cast("Rotation", await self._rotate(redis_keys.family(grant.id), arguments))
        if outcome == "rotated":
            await self._keep(grant, presented, successor)
        elif outcome == "reused":
            await self.settle(grant.id)
        return outcome

    async def revoke(self, grant: Grant, presented: str) -> None:
        """End a family, if the presented token belongs to it.

        Args:
            grant: Result of `of` for the presented token.
            presented: A refresh token, current or used.
        """
        await self._revoke(redis_keys.family(grant.id), [grant.client_id, fingerprint(presented)])
        await self.settle(grant.id)

    async def settle_revoked(self, refresh_token: str) -> None:
        """Ensure that the end of a token's family, which may be very recent, survives a failover.

        Args:
            refresh_token: The presented value; may be any text.
        """
        grant_id = _grant_id(refresh_token)
        if grant_id is not None:
            await self.settle(grant_id)

    async def revoke_access(self, token: AccessToken, now: int) -> None:
        """Revoke one access token; its refresh token stays valid.

        Args:
            token: A verified access token.
            now: Current time in Unix seconds, from the server's clock.
        """
        key = redis_keys.revoked(token.grant_id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zremrangebyscore(key, "-inf", now)
            pipeline.zadd(key, {token.jti: token.expires_at})
            pipeline.expire(key, GRANT_GARBAGE_S)
            await pipeline.execute()
        await self.settle(token.grant_id)

    async def owner(self, token: AccessToken) -> str | None:
        """Return the user behind an access token, or None if it is revoked.

        Args:
            token: A verified access token.
        """
        keys = [redis_keys.grant(token.grant_id), redis_keys.revoked(token.grant_id)]
        return cast("str | None", await self._owner(keys, [token.jti]))

    async def remove(self, grant_id: str) -> None:
        """End a family.

        Args:
            grant_id: Id of the grant.
        """
        await self._redis.delete(*redis_keys.family(grant_id))
        await self.settle(grant_id)

    async def settle(self, grant_id: str) -> None:
        """Wait until a replica, if there is one, has the writes to a grant.

        Args:
            grant_id: Id of the grant.

        Raises:
            NotReplicated: No replica confirmed in time.
        """
        await self._replicated([redis_keys.grant(grant_id)])

    async def _keep(self, grant: Grant, presented: str, successor: str) -> None:
        """Confirm a rotation on a replica, or undo it: a client's retry must not look like token theft."""
        try:
            await self.settle(grant.id)
        except RedisError:
            keys = [redis_keys.grant(grant.id), redis_keys.dead(grant.id)]
            await self._take_back(keys, [fingerprint(presented), fingerprint(successor), grant.expires_at])
            raise

    def _indexed(self, grant: Grant, expires_at: int, now: int) -> list[Awaitable[Any]]:
        entry: list[Argument] = [grant.id, expires_at, now, GRANT_GARBAGE_S]
        indexed = [self._index([key], entry) for key in _indexes(grant)]
        return [*indexed, self._bounded(grant, entry)] if grant.subject == grant.client_id else indexed

    async def _bounded(self, grant: Grant, entry: Sequence[Argument]) -> None:
        """End the grants of an application for itself that were not refreshed for the longest, if there are too many.

        A program that asks for new tokens for each call would fill Redis: no person's consent bounds these.
        """
        beyond = cast("list[str]", await self._index([redis_keys.of_client_itself(grant.client_id)], [*entry, MOST]))
        if not beyond:
            return
        async with self._redis.pipeline(transaction=False) as pipeline:
            for grant_id in beyond:
                pipeline.delete(*redis_keys.family(grant_id))
            for key in _indexes(grant):
                pipeline.zrem(key, *beyond)
            await pipeline.execute()


def _indexes(grant: Grant) -> tuple[str, str]:
    """Return the keys of the indexes by which a grant is revoked with its owner or its client."""
    return redis_keys.of_owner(grant.owner_id), redis_keys.of_client(grant.client_id)


def source(name: str) -> str:
    """Return the source of a Lua script.

    Args:
        name: File name without `.lua`.
    """
    return (_SCRIPTS / f"{name}.lua").read_text(encoding="utf-8")


def new_refresh_token(grant_id: str) -> str:
    """Return a new refresh token; it contains the grant id, so that one lookup finds the family.

    Args:
        grant_id: Id of the grant.
    """
    return f"{grant_id}.{new_secret()}"


def fingerprint(refresh_token: str) -> str:
    """Return the digest that is stored instead of a refresh token.

    Args:
        refresh_token: The presented value; may be any text.
    """
    return digest(refresh_token).hex()


def _grant_id(refresh_token: str) -> str | None:
    """Return the grant id in a refresh token, if it has our format."""
    match = _FORM.fullmatch(refresh_token)
    return match[1] if match else None
