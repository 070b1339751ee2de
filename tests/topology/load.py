"""Steady load by the SDK, and a ledger of everything that was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import attrs
import psycopg

from redcore import AsyncClient, NotFoundError, RedcoreError

CLIENTS = 10
CALLS_PER_SECOND = 25


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
class Ledger:
    """What was acknowledged: products by id, with their sku and the last acknowledged price; and what was deleted."""

    products: dict[str, tuple[str, int]] = attrs.field(factory=dict)
    doubtful: set[str] = attrs.field(factory=set)  # prices whose change raised: either value is right
    deleted: set[str] = attrs.field(factory=set)
    revoked: list[str] = attrs.field(factory=list)  # access tokens

    def compare(self, database_url: str) -> tuple[int, int]:
        """Return how many acknowledged operations are lost on the primary, and how many creates are there twice.

        The load goes on meanwhile: what counts is what was acknowledged before, and not touched since.
        """
        products, deleted = dict(self.products), set(self.deleted)
        with psycopg.connect(database_url) as connection:
            rows: dict[str, int] = dict(connection.execute("select id, price from products").fetchall())
            names = "select name from products group by name having count(*) > 1"
            doubled = len(connection.execute(names).fetchall())
        missing = sum(
            rows.get(product) is None or (product not in self.doubtful and rows[product] != price)
            for product, (_, price) in products.items()
            if product in self.products
        )
        return missing + sum(product in rows for product in deleted), doubled


@attrs.define
class Load:
    """Calls at a steady rate, whatever becomes of them."""

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
        """Let what is under way end."""
        assert self._rate is not None
        self._rate.cancel()
        await asyncio.gather(self._rate, *self._under_way, return_exceptions=True)
        for client in self._clients:
            await client.aclose()

    async def settle(self) -> None:
        """Return when what is under way now has ended."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def between(self, start: float, stop: float) -> list[Call]:
        """Return the calls that began in a span of time."""
        return [call for call in self.calls if start <= call.at < stop]

    async def create(self) -> str:
        """Create a product; its id, entered into the ledger."""
        number = next(self._numbers)
        product = await self.client().products.create(name=f"Product {number}", sku=f"sku-{number}", price=number)
        self.ledger.products[product.id] = (f"sku-{number}", number)
        return product.id

    async def _keep_going(self) -> None:
        due = time.monotonic()
        while True:
            due += 1 / CALLS_PER_SECOND
            await asyncio.sleep(due - time.monotonic())
            task = asyncio.create_task(self._one())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _one(self) -> None:
        kinds = {"create": 30, "get": 40, "list": 10, "update": 12, "delete": 5, "token": 3}
        kind = self._random.choices([*kinds], [*kinds.values()])[0]
        if len(self.ledger.products) < 2 * CLIENTS:
            kind = "create"
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
        """Read what another client has just created: it must be there."""
        product_id = self._recent()
        self.reads += 1
        try:
            await self.client().products.get(product_id)
        except NotFoundError:
            if product_id in self.ledger.products:
                self.stale += 1

    async def _list(self) -> None:
        await self.client().products.list(limit=5)

    async def _update(self) -> None:
        product_id, price = self._recent(), next(self._numbers)
        sku, _ = self.ledger.products[product_id]
        self.ledger.doubtful.add(product_id)  # two updates at once: the later one wins, whichever that is
        try:
            await self.client().products.update(product_id, price=price)
        except NotFoundError:
            if product_id in self.ledger.products:
                raise
        if product_id in self.ledger.products:
            self.ledger.products[product_id] = (sku, price)

    async def _delete(self) -> None:
        product_id = self._random.choice(list(self.ledger.products)[:-CLIENTS])
        self.ledger.products.pop(product_id, None)
        with contextlib.suppress(NotFoundError):  # an attempt whose answer was lost had done it
            await self.client().products.delete(product_id)
        self.ledger.deleted.add(product_id)

    async def _token(self) -> None:
        """Use a new token of a client of its own."""
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
        return self._random.choice(list(self.ledger.products)[-CLIENTS:])
