"""Makes the calls of a login, before a person is logged in."""
# The only place outside the clients that makes them perform a flow.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from redcore._call.engine import CallOptions, Engine
from redcore._call.steps import Flow
from redcore.client import AsyncClient, Client

T = TypeVar("T")
Login: TypeAlias = Callable[[Engine, CallOptions], Flow[T]]


def perform(login: Login[T], options: Mapping[str, Any]) -> T:
    """Run a login, blocking, over the given `http_client` or over new connections.

    Args:
        login: Makes the flow.
        options: `LoginOptions`.
    """
    with Client._for_person(options, **credentials(options)) as client:
        return client._run(login(client._engine, client._options))


async def perform_async(login: Login[T], options: Mapping[str, Any]) -> T:
    """Run a login while other tasks run; arguments as for `perform`."""
    async with AsyncClient._for_person(options, **credentials(options)) as client:
        return await client._run(login(client._engine, client._options))


def credentials(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that identify the application."""
    return {name: options.get(name) for name in ("client_id", "client_secret")}
