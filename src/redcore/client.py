"""The two clients: each performs the steps of a call (see `_steps`), one by blocking, one by awaiting; nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, assert_never

import attrs
import httpx

from redcore._config import Given, configure, reconfigure
from redcore._engine import CallOptions, Engine
from redcore._generated.resources import AsyncResources, Resources
from redcore._operation import Operation
from redcore._shield import to_the_end
from redcore._steps import Acquire, Notify, Runtime, Send, Sleep, Step, drive, drive_async
from redcore._values import UNSET, Unset
from redcore.auth import Authenticator, OnTokenRefreshed
from redcore.limits import Pacer
from redcore.tokens.cache import MemoryCache, TokenCache
from redcore.transport import AsyncTransport, Transport

T = TypeVar("T")


class _Client:
    """What both clients have in common: how they are set up."""

    _engine: Engine
    _options: CallOptions
    _transport: Any
    _owner: bool

    def _set_up(
        self,
        given: Given,
        cache: TokenCache | None,
        on_token_refreshed: OnTokenRefreshed | None,
        *,
        pacing: bool,
    ) -> None:
        config = configure(given)
        runtime = Runtime()
        auth = Authenticator(
            config.credentials,
            origin=config.auth_origin,
            cache=MemoryCache() if cache is None else cache,
            on_token_refreshed=on_token_refreshed,
            now=runtime.now,
        )
        self._engine = Engine(base_url=config.base_url, auth=auth, pacer=Pacer(), runtime=runtime)
        self._options = attrs.evolve(config.options, pacing=pacing)
        self._owner = True

    def with_options(
        self,
        *,
        timeout: float | Unset = UNSET,
        deadline: float | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | Unset = UNSET,
        idempotency_key: str | Unset | None = UNSET,
    ) -> Self:
        """A client with other options, which shares connections and tokens with this one and does not close them.

        Args:
            timeout: Seconds one attempt may take.
            deadline: Seconds one call may take in all; None is no limit.
            max_retries: Attempts after the first.
            headers: Headers to add to every call; `Authorization` cannot be one.
            idempotency_key: The `Idempotency-Key` of every POST; None makes one for each call.

        Raises:
            ConfigurationError: a number is out of range.
            ArgumentError: a header or key cannot be sent.
        """
        derived = object.__new__(type(self))
        derived._engine, derived._transport, derived._owner = self._engine, self._transport, False
        derived._options = reconfigure(
            self._options,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            headers=headers,
            idempotency_key=idempotency_key,
        )
        return derived

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._engine.base_url!r})"


class Client(_Client, Resources):
    """The BlueRound platform, for code that blocks. Safe to share between threads.

    Args:
        api_key: An API key, `rk_live_…` or `rk_test_…` (`REDCORE_API_KEY`).
        client_id: Id of an OAuth application (`REDCORE_CLIENT_ID`).
        client_secret: Its secret (`REDCORE_CLIENT_SECRET`).
        access_token: An access token of an earlier session.
        refresh_token: The refresh token that belongs to it.
        scope: Scopes to ask for, separated by spaces; None asks for all that the application may have.
        base_url: Where the API is (`REDCORE_BASE_URL`); wins over `environment`.
        auth_url: Origin of the OAuth endpoints (`REDCORE_AUTH_URL`); None is the origin of `base_url`.
        environment: `production` or `staging` (`REDCORE_ENVIRONMENT`); None is production.
        timeout: Seconds one attempt may take (`REDCORE_TIMEOUT`); None is 30.
        deadline: Seconds one call may take, over all attempts, waits, pacing and token refreshes; None is no limit.
        max_retries: Attempts after the first (`REDCORE_MAX_RETRIES`); None is 2.
        token_cache: Where tokens are kept; None is the memory of this client.
        on_token_refreshed: Called with each new token pair as a dict, after it is stored.
        pacing: Whether to wait for the next window when the rate limit is used up, rather than earn a 429.
        http_client: An `httpx.Client` to send with, which stays yours to close; None makes one.

    Raises:
        ConfigurationError: no usable credential, both an API key and another one, a bad URL or a bad number.

    Source: contract section 7, Client.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        scope: str | None = None,
        base_url: str | None = None,
        auth_url: str | None = None,
        environment: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
        token_cache: TokenCache | None = None,
        on_token_refreshed: Callable[[dict[str, Any]], None] | None = None,
        pacing: bool = True,
        http_client: httpx.Client | None = None,
    ) -> None:
        given = Given(
            api_key=api_key,
            client_id=client_id,
            client_secret=client_secret,
            access_token=access_token,
            refresh_token=refresh_token,
            scope=scope,
            base_url=base_url,
            auth_url=auth_url,
            environment=environment,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )
        self._set_up(given, token_cache, on_token_refreshed, pacing=pacing)
        self._transport: Transport = Transport(http_client)

    def close(self) -> None:
        """Close the connections; a second time does nothing. A client made by `with_options` closes nothing."""
        if self._owner:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _execute(self, operation: Operation[T], /) -> T:
        return drive(self._engine.call(operation, self._options), self._perform)

    def _perform(self, step: Step) -> Any:
        match step:
            case Send(request, timeout_s):
                return self._transport.send(request, timeout_s)
            case Sleep(seconds):
                return self._engine.runtime.sleep(seconds)
            case Acquire(lock, timeout_s):
                return lock.acquire(timeout_s)
            case Notify(callback, tokens):
                return callback(tokens)
            case _:
                assert_never(step)


class AsyncClient(_Client, AsyncResources):
    """The BlueRound platform, for asyncio and trio. Safe to share between tasks.

    Args:
        api_key: An API key, `rk_live_…` or `rk_test_…` (`REDCORE_API_KEY`).
        client_id: Id of an OAuth application (`REDCORE_CLIENT_ID`).
        client_secret: Its secret (`REDCORE_CLIENT_SECRET`).
        access_token: An access token of an earlier session.
        refresh_token: The refresh token that belongs to it.
        scope: Scopes to ask for, separated by spaces; None asks for all that the application may have.
        base_url: Where the API is (`REDCORE_BASE_URL`); wins over `environment`.
        auth_url: Origin of the OAuth endpoints (`REDCORE_AUTH_URL`); None is the origin of `base_url`.
        environment: `production` or `staging` (`REDCORE_ENVIRONMENT`); None is production.
        timeout: Seconds one attempt may take (`REDCORE_TIMEOUT`); None is 30.
        deadline: Seconds one call may take, over all attempts, waits, pacing and token refreshes; None is no limit.
        max_retries: Attempts after the first (`REDCORE_MAX_RETRIES`); None is 2.
        token_cache: Where tokens are kept; None is the memory of this client.
        on_token_refreshed: Called with each new token pair as a dict, after it is stored; may be a coroutine function.
        pacing: Whether to wait for the next window when the rate limit is used up, rather than earn a 429.
        http_client: An `httpx.AsyncClient` to send with, which stays yours to close; None makes one.

    Raises:
        ConfigurationError: no usable credential, both an API key and another one, a bad URL or a bad number.

    Source: contract section 7, Client.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        scope: str | None = None,
        base_url: str | None = None,
        auth_url: str | None = None,
        environment: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
        token_cache: TokenCache | None = None,
        on_token_refreshed: Callable[[dict[str, Any]], Awaitable[None] | None] | None = None,
        pacing: bool = True,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        given = Given(
            api_key=api_key,
            client_id=client_id,
            client_secret=client_secret,
            access_token=access_token,
            refresh_token=refresh_token,
            scope=scope,
            base_url=base_url,
            auth_url=auth_url,
            environment=environment,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )
        self._set_up(given, token_cache, on_token_refreshed, pacing=pacing)
        self._transport: AsyncTransport = AsyncTransport(http_client)

    async def aclose(self) -> None:
        """Close the connections; a second time does nothing. A client made by `with_options` closes nothing."""
        if self._owner:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _execute(self, operation: Operation[T], /) -> T:
        return await drive_async(self._engine.call(operation, self._options), self._perform)

    async def _perform(self, step: Step) -> Any:
        match step:
            case Send(request, timeout_s, must_finish):
                sending = self._transport.send(request, timeout_s)
                return await (to_the_end(sending) if must_finish else sending)
            case Sleep(seconds):
                return await self._engine.runtime.sleep_async(seconds)
            case Acquire(lock, timeout_s):
                return await lock.acquire_async(timeout_s)
            case Notify(callback, tokens):
                answer = callback(tokens)
                return await to_the_end(answer) if answer is not None else None
            case _:
                assert_never(step)
