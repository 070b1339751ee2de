"""Steady load by the SDK, entered into the ledger."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import attrs
from tests.topology.ledger import Ledger

from redcore import AsyncClient, NotFoundError, RedcoreError, ResponseError

CLIENTS = 10
CALLS_PER_SECOND = 25
CONTENT = b"0123456789abcdef" * 512  # 8 KiB, below what a balancer buffers and may send again
KINDS = {
    "create": 20,
    "get": 40,
    "list": 8,
    "update": 10,
    "delete": 4,
    "token": 3,
    "user": 3,
    "promote": 2,
    "dismiss": 1,
    "key": 2,
    "revoke": 1,
    "upload": 2,
    "download": 4,
}
# Resources that a call of a kind needs.
TABLES = {
    "get": "products",
    "update": "products",
    "delete": "products",
    "promote": "users",
    "dismiss": "users",
    "revoke": "api_keys",
    "download": "files",
}


@attrs.frozen
class Call:
    """One call of the SDK, with its retries.

    Attributes:
        at: When it began, in seconds of the load.
        seconds: How long it took.
        kind: Of the operation.
        error: What it raised; None if it succeeded.
    """

    at: float
    seconds: float
    kind: str
    error: str | None


@attrs.define
class Load:
    """Calls at a steady rate, whatever their outcome."""

    credentials: dict[str, str]
    base_url: str
    calls: list[Call] = attrs.field(factory=list)
    ledger: Ledger = attrs.field(factory=Ledger)
    stale: int = 0
    reads: int = 0
    _clients: list[AsyncClient] = attrs.field(factory=list)
    _numbers: Any = attrs.field(factory=itertools.count)
    _random: random.Random = attrs.field(factory=lambda: random.Random(17))  # noqa: S311 - the same load each time
    _started: float = attrs.field(factory=time.monotonic)
    _under_way: set[asyncio.Task[None]] = attrs.field(factory=set)
    _rate: asyncio.Task[None] | None = None

    @property
    def now(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self._started

    async def __aenter__(self) -> Self:
        """Begin."""
        self._clients = [self._new_client() for _ in range(CLIENTS)]
        self._rate = asyncio.create_task(self._keep_going())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for the calls under way."""
        assert self._rate is not None
        self._rate.cancel()
        await asyncio.gather(self._rate, *self._under_way, return_exceptions=True)
        for client in self._clients:
            await client.aclose()

    async def settle(self) -> None:
        """Return when the calls that are under way now have ended."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def between(self, start: float, stop: float) -> list[Call]:
        """Return the calls that began in a span of time."""
        return [call for call in self.calls if start <= call.at < stop]

    async def create(self) -> str:
        """Create a product; return its id, entered into the ledger."""
        number = next(self._numbers)
        product = await self.client().products.create(
            name=f"load {number}", sku=f"sku-{number}", price=number, stock=number % 7
        )
        return self.ledger.created("products", product)

    async def _keep_going(self) -> None:
        due = time.monotonic()
        while True:
            due += 1 / CALLS_PER_SECOND
            await asyncio.sleep(due - time.monotonic())
            task = asyncio.create_task(self._one())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _one(self) -> None:
        kind = self._random.choices([*KINDS], [*KINDS.values()])[0]
        table = TABLES.get(kind)
        if table is not None and len(self.ledger.settled(table)) < 2 * CLIENTS:
            kind = {"users": "user", "api_keys": "key", "files": "upload"}.get(table, "create")
        action: Callable[[], Awaitable[object]] = getattr(self, f"_{kind}")
        at, error = self.now, None
        try:
            await action()
        except RedcoreError as raised:
            error = f"{type(raised).__name__} {raised}"[:200]
        self.calls.append(Call(at, self.now - at, kind, error))

    async def _create(self) -> None:
        await self.create()

    async def _get(self) -> None:
        """Read what another client has just created: it must exist."""
        product_id = self._recent()
        self.reads += 1
        try:
            await self.client().products.get(product_id)
        except NotFoundError:
            if product_id in self.ledger.settled("products"):
                self.stale += 1

    async def _list(self) -> None:
        await self.client().products.list(limit=5)

    async def _update(self) -> None:
        product_id, number = self._recent(), next(self._numbers)
        with self.ledger.change("products", product_id, price=number, status="out_of_stock", stock=0):
            await self.client().products.update(product_id, price=number, status="out_of_stock", stock=0)

    async def _delete(self) -> None:
        product_id = self._random.choice(self.ledger.settled("products")[:-CLIENTS])
        with self.ledger.change("products", product_id), contextlib.suppress(NotFoundError):
            await self.client().products.delete(product_id)  # not found: an attempt whose answer was lost had done it

    async def _user(self) -> None:
        number = next(self._numbers)
        user = await self.client().users.create(
            email=f"load-{number}@example.com", name=f"load {number}", role="viewer"
        )
        self.ledger.created("users", user)

    async def _promote(self) -> None:
        user_id = self._random.choice(self.ledger.settled("users"))
        with self.ledger.change("users", user_id, role="editor"):
            await self.client().users.update(user_id, role="editor")

    async def _dismiss(self) -> None:
        user_id = self._random.choice(self.ledger.settled("users"))
        with self.ledger.change("users", user_id), contextlib.suppress(NotFoundError):
            await self.client().users.delete(user_id)

    async def _key(self) -> None:
        key = await self.client().api_keys.create(name=f"load {next(self._numbers)}", scopes=["users:read"])
        self.ledger.created("api_keys", key, is_revoked=False)

    async def _revoke(self) -> None:
        key_id = self._random.choice(self.ledger.settled("api_keys"))
        with self.ledger.change("api_keys", key_id, is_revoked=True), contextlib.suppress(NotFoundError):
            await self.client().api_keys.revoke(key_id)

    async def _upload(self) -> None:
        name = f"load {next(self._numbers)}"
        file = await self.client().files.upload(file=CONTENT, name=name)
        self.ledger.created("files", file)

    async def _download(self) -> None:
        file_id = self._random.choice(self.ledger.settled("files"))
        if await self.client().files.download(file_id) != CONTENT:
            raise ResponseError(f"{file_id} has another content")

    async def _token(self) -> None:
        """Use a new token of a new client."""
        async with self._new_client() as client:
            await client.users.get_me()

    def client(self) -> AsyncClient:
        """Return one of the clients."""
        return self._random.choice(self._clients)

    def _new_client(self) -> AsyncClient:
        return AsyncClient(
            base_url=self.base_url,
            client_id=self.credentials["REDCORE_CLIENT_ID"],
            client_secret=self.credentials["REDCORE_CLIENT_SECRET"],
        )

    def _recent(self) -> str:
        return self._random.choice(self.ledger.settled("products")[-CLIENTS:])
