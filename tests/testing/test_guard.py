"""No test reaches production by mistake, whatever transport the client uses."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest
import respx

from redcore import AsyncClient, Client, ConfigurationError
from redcore.testing import FakeBlueRound
from redcore.testing.guard import no_network

WORDS = "a test called api.blueround.com, which redcore_no_network forbids"


@pytest.fixture(autouse=True)
def guard() -> Iterator[None]:
    with no_network():
        yield


def refused(**options: Any) -> None:
    """Make a blocking call to production."""
    with Client(api_key="rk_test_key", max_retries=0, **options) as client, pytest.raises(ConfigurationError) as caught:
        client.users.get_me()
    assert str(caught.value).startswith(WORDS)


async def refused_async(**options: Any) -> None:
    """Make the same call, awaited."""
    async with AsyncClient(api_key="rk_test_key", max_retries=0, **options) as client:
        with pytest.raises(ConfigurationError) as caught:
            await client.users.get_me()
    assert str(caught.value).startswith(WORDS)


@pytest.mark.parametrize("transport", [None, "direct", "httpcore"])
def test_blocking_clients(transport: Any) -> None:
    """Over each transport."""
    refused(transport=transport)


@pytest.mark.parametrize(
    ("backend", "options", "transport"),
    [
        *(("asyncio", {"use_uvloop": uvloop}, name) for uvloop in (False, True) for name in ("direct", "aiohttp")),
        *(("asyncio", {"use_uvloop": uvloop}, name) for uvloop in (False, True) for name in (None, "httpcore")),
        *(("trio", {}, name) for name in (None, "httpcore")),
    ],
)
def test_awaiting_clients(backend: Any, options: dict[str, Any], transport: Any) -> None:
    """Over each transport and event loop; uvloop resolves names by itself."""

    async def main() -> None:
        await refused_async(transport=transport)

    anyio.run(main, backend=backend, backend_options=options)


def test_given_clients_are_refused_too() -> None:
    """Their own name look-up is refused, with the same message."""
    with httpx.Client(trust_env=False) as brought:
        refused(http_client=brought)

    async def main() -> None:
        async with httpx.AsyncClient(trust_env=False) as brought:
            await refused_async(http_client=brought)

    anyio.run(main)


def test_a_proxy_does_not_bypass_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would resolve the name itself."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        refused()
        proxy.settimeout(0)
        with pytest.raises(BlockingIOError):
            proxy.accept()


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_both_environments(environment: Any) -> None:
    """Production and staging; other addresses are not checked."""
    with pytest.raises(ConfigurationError, match="redcore_no_network"):
        Client(api_key="rk_test_key", environment=environment).users.get_me()
    with suppress(socket.gaierror):
        socket.getaddrinfo("blueround.com.invalid", 443)


def test_mocked_calls_pass() -> None:
    """A fake, respx and a mock transport answer for production."""
    nothing: dict[str, object] = {}
    answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(404, json=nothing)  # noqa: E731
    with FakeBlueRound() as fake:
        assert fake.client().users.get_me().role == "admin"
    with respx.mock(base_url="https://api.blueround.com/v1") as router:
        router.get("/users/usr_1").respond(404)
        with pytest.raises(Exception, match="404"):
            Client(api_key="rk_test_key").users.get("usr_1")
    with httpx.Client(transport=httpx.MockTransport(answer)) as brought, pytest.raises(Exception, match="404"):
        Client(api_key="rk_test_key", http_client=brought).users.get("usr_1")
