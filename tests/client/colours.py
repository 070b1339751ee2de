"""One test body for both clients: a colour makes a client and calls it, blocking or in an event loop of its own.

And over all transports: an `over` is a `transport=`, or a library whose clients are passed to the SDK.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import attrs
import httpx
import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from redcore import AsyncClient, Client


@attrs.frozen
class Blocking:
    """`Client`."""

    over: str | None = None
    name = "sync"
    _brought: list[Any] = attrs.field(factory=list[Any])

    def client(self, **options: Any) -> Any:
        """Make a client with an API key, unless the options have other credentials."""
        if "http_client" not in options and self.over in TRANSPORT_NAMES:
            options = {"transport": self.over, **options}
        elif "http_client" not in options and self.over is not None:
            options["http_client"] = LIBRARIES[self.over].Client()
            self._brought.append(options["http_client"])
        return Client(**with_credentials(options))

    def __call__(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of a client."""
        return function(*args, **options)

    def close(self, client: Client) -> None:
        """Close a client."""
        client.close()

    def end(self) -> None:
        """Close an HTTP client that a test passed."""
        for brought in self._brought:
            brought.close()

    def items(self, pages: Any) -> list[Any]:
        """Return the items of all pages."""
        return list(pages.iter_items())


@attrs.frozen
class Awaiting:
    """`AsyncClient`, in an event loop that runs in another thread."""

    name: str
    portal: BlockingPortal
    over: str | None = None
    _brought: list[Any] = attrs.field(factory=list[Any])

    def client(self, **options: Any) -> Any:
        """Make a client with an API key, unless the options have other credentials."""
        if "http_client" not in options and self.over in TRANSPORT_NAMES:
            options = {"transport": self.over, **options}
        elif "http_client" not in options and self.over is not None:
            options["http_client"] = LIBRARIES[self.over].AsyncClient()
            self._brought.append(options["http_client"])
        return AsyncClient(**with_credentials(options))

    def __call__(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of a client and await its result."""
        return self.portal.call(partial(function, *args, **options))

    def close(self, client: AsyncClient) -> None:
        """Close a client."""
        self.portal.call(client.aclose)

    def end(self) -> None:
        """Close an HTTP client that a test passed."""
        for brought in self._brought:
            self.portal.call(brought.aclose)

    def items(self, pages: Any) -> list[Any]:
        """Return the items of all pages."""

        async def collect() -> list[Any]:
            return [item async for item in pages.iter_items()]

        return self.portal.call(collect)


def eager_loop() -> asyncio.AbstractEventLoop:
    """Make a loop whose tasks run as soon as they are made."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]  # of Python 3.12
    return loop


def loops() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the kinds of event loop of this interpreter, as anyio runs them: the library and its options."""
    kinds: dict[str, tuple[str, dict[str, Any]]] = {"asyncio": ("asyncio", {}), "trio": ("trio", {})}
    if find_spec("uvloop") is not None:  # not on Windows
        kinds["uvloop"] = ("asyncio", {"use_uvloop": True})
    if hasattr(asyncio, "eager_task_factory"):
        kinds["eager"] = ("asyncio", {"loop_factory": eager_loop})
    return kinds


Colour = Blocking | Awaiting
LIBRARIES: dict[str, Any] = {"httpx": httpx, "httpx2": httpx2}
TRANSPORT_NAMES = {"direct", "httpcore", "aiohttp"}
COLOURS: list[tuple[str, str | None]] = [("sync", None), ("asyncio", None), ("trio", None)]
LOOPS = loops()
OWN_TRANSPORTS = [
    *COLOURS,
    *((name, None) for name in LOOPS if name not in {"asyncio", "trio"}),
    ("sync", "httpcore"),
    *((name, "httpcore") for name in LOOPS if name != "trio"),
    ("asyncio", "aiohttp"),
]
"""Transports with connections of the client's own."""
TRANSPORTS = [
    *OWN_TRANSPORTS,
    *((name, library) for name in ("sync", "asyncio", "trio") for library in LIBRARIES),
]


def with_credentials(options: dict[str, Any]) -> dict[str, Any]:
    others = {"client_id", "access_token", "refresh_token"} & options.keys()
    return options if others else {"api_key": "rk_test_key", **options}


def named(param: tuple[str, str | None]) -> str:
    return "-".join(filter(None, param))


def colours_over(transports: Sequence[tuple[str, str | None]]) -> Any:
    """Make the fixture `colour` of a file whose tests run over these transports."""

    @pytest.fixture(params=transports, ids=named)
    def colour(request: pytest.FixtureRequest) -> tuple[str, str | None]:
        chosen: tuple[str, str | None] = request.param
        return chosen

    return colour
