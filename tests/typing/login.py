"""The types of logins: checked by mypy and pyright, never run (see `api.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

import httpx

from redcore import AsyncClient, Client, TokenSet
from redcore.login import (
    AuthorizationRequest,
    DeviceAuthorization,
    authorization_request,
    exchange_code,
    exchange_code_async,
    in_browser,
    in_browser_async,
    on_device,
    on_device_async,
)


def blocking(query: Mapping[str, str], stored: dict[str, Any]) -> None:
    """Each login returns tokens, and tokens make a client."""
    request = authorization_request(client_id="app_1", redirect_uri="https://app.example/back", environment="staging")
    assert_type(request, AuthorizationRequest)
    assert_type(request.url, str)
    assert_type(AuthorizationRequest(**stored), AuthorizationRequest)
    assert_type(exchange_code(request, query, http_client=httpx.Client()), TokenSet)
    assert_type(exchange_code(request, "?code=c"), TokenSet)
    assert_type(in_browser(client_id="app_1", scope="users:read", open_browser=print, timeout=5.0), TokenSet)
    assert_type(on_device(prompt=print, client_id="app_1"), TokenSet)

    tokens = TokenSet(**stored)
    assert_type(Client.from_tokens(tokens, client_id="app_1", on_token_refreshed=stored.update), Client)
    assert_type(Client.from_saml_assertion(assertion=b"<Assertion/>", client_id="app_1", max_retries=0), Client)
    assert_type(Client.from_tokens(tokens).auth.log_out(), None)

    on_device(client_id="app_1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    in_browser(token_cache=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Client.from_tokens(tokens, api_key="rk")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Client.from_tokens(tokens, http_client=httpx.AsyncClient())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    exchange_code(query, query)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def awaitable(request: AuthorizationRequest, tokens: TokenSet) -> None:
    """The same for async code; its callbacks may be coroutine functions."""

    async def prompt(device: DeviceAuthorization) -> None:
        assert_type(device.verification_uri_complete, str | None)

    async def store(tokens: dict[str, Any]) -> None: ...

    assert_type(await exchange_code_async(request, "?code=c", http_client=httpx.AsyncClient()), TokenSet)
    assert_type(await in_browser_async(client_id="app_1"), TokenSet)
    assert_type(await on_device_async(prompt=prompt, on_progress=prompt, client_id="app_1"), TokenSet)
    assert_type(AsyncClient.from_tokens(tokens, client_id="app_1", on_token_refreshed=store), AsyncClient)
    assert_type(await AsyncClient.from_saml_assertion(assertion="<Assertion/>"), AsyncClient)
    assert_type(await AsyncClient.from_tokens(tokens).auth.log_out(), None)
