"""Device logins in Redis (RFC 8628): the device's request, the person's decision, and whether the tokens were fetched.

The device code is opaque and stored as its digest. The user code is short, because a person types it: it maps only to
the digest, for a quarter of an hour or until the decision, and `pages.device` limits the number of guesses. Every
decision is one atomic script. Times come from the server's clock; the TTLs only collect garbage.
"""

# redis-py leaves `pipeline`, `set` and hash commands partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import secrets
from typing import Any, Final, Literal, cast

import attrs

from redcore_server.auth.people.user_index import add_entry, end_entries
from redcore_server.auth.secret import digest, new_secret
from redcore_server.auth.tokens.grant_store import source
from redcore_server.store import Stores
from redcore_server.store.redis import Argument

DEVICE_CODE_S: Final = 900  # time to find another device and to sign in there
INTERVAL_S: Final = 5  # RFC 8628 section 3.2, the default
_SLOWER_S: Final = 5  # RFC 8628 section 3.5
_GARBAGE_S: Final = DEVICE_CODE_S + 3600  # short, because starting a login needs no authentication
_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, so no words; 20^8 codes
_LENGTH: Final = 8  # eight letters in two groups, as in the RFC's example

Outcome = Literal["unknown", "expired", "approved", "denied", "too fast", "pending"]


@attrs.frozen
class Device:
    """A login waiting for a person's decision.

    Attributes:
        digest: Digest of the device code; identifies the login.
        client_id: Client id of the requesting application.
        scope: Requested scope.
        user_code: User code as the device shows it.
    """

    digest: str
    client_id: str
    scope: str
    user_code: str


@attrs.frozen
class Poll:
    """The state of a login; after approval, the user and the scope."""

    outcome: Outcome
    user_id: str = ""
    scope: str = ""


class DeviceCodes:
    """The logins."""

    def __init__(self, stores: Stores) -> None:
        self._redis = stores.redis
        self._poll = stores.scripts.script(source("poll_device"))
        self._settle = stores.scripts.script(source("settle_device"))

    async def add(self, client_id: str, scope: str, now: int) -> tuple[str, str]:
        """Start a login.

        Args:
            client_id: Client id of the application.
            scope: Requested scope.
            now: Current time in Unix seconds, from the server's clock.

        Returns:
            The device code and the user code.
        """
        device_code = new_secret()
        name = digest(device_code).hex()
        user_code = _new_user_code()
        while not await self._redis.set(_pointer(user_code), name, nx=True, ex=_GARBAGE_S):
            user_code = _new_user_code()
        record: dict[Any, Any] = {
            "client_id": client_id,
            "scope": scope,
            "expires_at": now + DEVICE_CODE_S,
            "interval": INTERVAL_S,
            "status": "pending",
        }
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(_key(name), mapping=record)
            pipeline.expire(_key(name), _GARBAGE_S)
            await pipeline.execute()
        return device_code, user_code

    async def find(self, typed: str, now: float) -> Device | None:
        """Return the login of a user code while it waits for a decision.

        Args:
            typed: A user code in any case, with or without dashes and spaces.
            now: Current time of the server's clock.
        """
        user_code = shown(typed)
        name = cast("str | None", await self._redis.get(_pointer(user_code)))
        if name is None:
            return None
        fields = cast(
            "list[str | None]", await self._redis.hmget(_key(name), "client_id", "scope", "status", "expires_at")
        )
        client_id, scope, status, expires_at = fields
        if status != "pending" or float(expires_at or 0) <= now:
            return None
        return Device(name, client_id or "", scope or "", user_code)

    async def approve(self, device: Device, user_id: str, scope: str, now: float) -> bool:
        """Approve a login, unless it was already decided or has expired.

        Args:
            device: The login, from `find`.
            user_id: Id of the user who approved.
            scope: Approved scope.
            now: Current time of the server's clock.
        """
        index = _of_user(user_id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            expires_at = now + DEVICE_CODE_S
            add_entry(pipeline, index, device.digest, expires_at=expires_at, now=now, garbage_s=_GARBAGE_S)
            await pipeline.execute()
        return await self._decide(device, now, ["status", "approved", "user_id", user_id, "scope", scope])

    async def deny(self, device: Device, now: float) -> bool:
        """Deny a login, unless it was already decided or has expired.

        Args:
            device: The login, from `find`.
            now: Current time of the server's clock.
        """
        return await self._decide(device, now, ["status", "denied"])

    async def poll(self, device_code: str, client_id: str, now: float) -> Poll:
        """Return the state of a login, and record the poll.

        Args:
            device_code: The presented value; may be any text.
            client_id: Client id of the application that presents it.
            now: Current time of the server's clock.
        """
        key = _key(digest(device_code).hex())
        return Poll(*cast("list[Any]", await self._poll([key], [client_id, now, _SLOWER_S])))

    async def use(self, device_code: str, now: float) -> bool:
        """Consume an approved device code; of concurrent calls exactly one succeeds.

        Args:
            device_code: The presented value.
            now: Current time of the server's clock.
        """
        return await self._settled(digest(device_code).hex(), ["approved", now, "status", "used"])

    async def _decide(self, device: Device, now: float, fields: list[str]) -> bool:
        is_decided = await self._settled(device.digest, ["pending", now, *fields])
        await self._redis.delete(_pointer(device.user_code))
        return is_decided

    async def _settled(self, name: str, arguments: list[Argument]) -> bool:
        return bool(await self._settle([_key(name)], arguments))


async def end_approvals(stores: Stores, user_id: str) -> None:
    """End the logins that a user approved and whose tokens are not fetched yet.

    Args:
        user_id: Id of the user who was deactivated or deleted.
    """
    await end_entries(stores, _of_user(user_id), _key)


def shown(typed: str) -> str:
    """Return a user code as devices show it, such as `WDJB-MJHT`.

    Args:
        typed: Any text; case, dashes and spaces do not matter.
    """
    letters = [letter for letter in typed.upper() if letter.isalnum()][: _LENGTH + 1]
    return f"{''.join(letters[: _LENGTH // 2])}-{''.join(letters[_LENGTH // 2 :])}"


def _new_user_code() -> str:
    return shown("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def _key(name: str) -> str:
    return f"device:{{{name}}}"


def _of_user(user_id: str) -> str:
    return f"devices:user:{user_id}"


def _pointer(user_code: str) -> str:
    return f"usercode:{{{user_code}}}"
