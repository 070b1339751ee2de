"""RedCore, and the yardsticks it is compared with.

A contestant is a class that is made with the origin of the stub, in an event loop. Its methods do the work once:
`one` fetches a user, `many` a page of 100 and `walk` all 10,000, each with a header that authenticates. Each runs in a
process of its own, so it imports what it measures only when it is made.
"""

from __future__ import annotations

import datetime as dt
import json
from enum import Enum
from functools import partial
from typing import Any

import attrs

import redcore
from payloads import ANSWERS, TOTAL, encoded

USER_ID = "usr_00000001"
KEY = "rk_test_0123456789"
HEADERS = {"Authorization": f"Bearer {KEY}", "Accept": "application/json"}
TASKS = 100
PAGE_OF_USERS = encoded(ANSWERS["GET /v1/users"])

# Calls ---------------------------------------------------------------------------------------


class Httpx:
    """The yardstick of blocking calls: plain use of httpx."""

    def __init__(self, origin: str) -> None:
        import httpx

        self._client = httpx.Client(base_url=origin, headers=HEADERS)

    def one(self) -> Any:
        return self._client.get(f"/v1/users/{USER_ID}").json()

    def many(self) -> Any:
        return self._client.get("/v1/users", params={"limit": 100}).json()


class AsyncHttpx:
    """The yardstick of async calls; with a connection for each of the tasks."""

    def __init__(self, origin: str) -> None:
        import httpx

        limits = httpx.Limits(max_connections=TASKS, max_keepalive_connections=TASKS)
        self._client = httpx.AsyncClient(base_url=origin, headers=HEADERS, limits=limits, timeout=60)

    async def one(self) -> Any:
        return (await self._client.get(f"/v1/users/{USER_ID}")).json()

    async def many(self) -> Any:
        return (await self._client.get("/v1/users", params={"limit": 100})).json()


class Redcore:
    """`redcore.Client` with its retries and pacing."""

    def __init__(self, origin: str) -> None:
        self._users = redcore.Client(api_key=KEY, base_url=f"{origin}/v1").users

    def one(self) -> Any:
        return self._users.get(USER_ID)

    def many(self) -> Any:
        return self._users.list(limit=100)


class AsyncRedcore:
    """`redcore.AsyncClient` with its retries and pacing."""

    def __init__(self, origin: str) -> None:
        self._users = redcore.AsyncClient(api_key=KEY, base_url=f"{origin}/v1").users

    async def one(self) -> Any:
        return await self._users.get(USER_ID)

    async def many(self) -> Any:
        return await self._users.list(limit=100)


class AsyncAiohttp:
    """The yardstick of many workers' CPU: bare aiohttp, and msgspec decoding into attrs classes."""

    def __init__(self, origin: str) -> None:
        import aiohttp
        import msgspec

        connector = aiohttp.TCPConnector(limit=TASKS)
        self._session = aiohttp.ClientSession(origin, headers=HEADERS, connector=connector)
        self._read = msgspec.json.Decoder(One).decode

    async def one(self) -> Any:
        async with self._session.get(f"/v1/users/{USER_ID}") as answer:
            return self._read(await answer.read())


# Walking 10,000 users, where each page takes 20 ms -------------------------------------------


class Walk:
    """The yardstick of walking: one page after the other."""

    concurrency = 1

    def __init__(self, origin: str) -> None:
        self._users = redcore.AsyncClient(api_key=KEY, base_url=f"{origin}/slow/v1").users

    async def walk(self) -> None:
        count = 0
        async for _ in self._users.list_all(concurrency=self.concurrency).iter_items():
            count += 1
        assert count == TOTAL  # noqa: S101 (else it is no walk)


class WalkAhead(Walk):
    """Up to eight pages under way."""

    concurrency = 8


# Reading 100 users ---------------------------------------------------------------------------


class Role(Enum):
    """Of a user."""

    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


class Status(Enum):
    """Of a user."""

    ACTIVE = "active"
    PENDING_INVITE = "pending_invite"
    INACTIVE = "inactive"


@attrs.frozen
class User:
    """A user, for the yardstick."""

    id: str
    email: str
    name: str
    role: Role
    status: Status
    invitation_sent_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


@attrs.frozen
class One:
    """A user's answer, for the yardstick."""

    data: User


@attrs.frozen
class Users:
    """A page, for the yardstick."""

    data: list[User]


class Cattrs:
    """The yardstick of reading: the standard library's JSON and cattrs' default converter."""

    def __init__(self, _: str) -> None:
        import cattrs

        self._converter = cattrs.Converter()
        self._converter.register_structure_hook(dt.datetime, lambda text, _: dt.datetime.fromisoformat(text))

    def many(self) -> Any:
        return self._converter.structure(json.loads(PAGE_OF_USERS), Users)


class RedcoreReader:
    """The decoder of `client.users.list()`."""

    def __init__(self, _: str) -> None:
        from redcore._spec import operations
        from redcore._wire.decoding import read

        self._answer = redcore.Response(200, redcore.Headers({}), PAGE_OF_USERS)
        self._read = partial(read, operations.users_list())

    def many(self) -> Any:
        return self._read(self._answer)
