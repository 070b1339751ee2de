"""Names and types of options that several functions accept, for type checkers; `Client` documents their meaning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, Literal, Protocol, TypedDict

import attrs

from redcore._base.public import public
from redcore.exceptions import ConfigurationError
from redcore.hooks import AsyncHooks, Hooks
from redcore.tokens.cache import AnyTokenCache, TokenCache


class HttpClient(Protocol):
    """An `httpx.Client` or an `httpx2.Client`."""

    @property
    def is_closed(self) -> bool:
        """Whether the client has been closed."""
        ...

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: Any = ...,
        data: Any = ...,
        files: Any = ...,
        headers: Any = ...,
        timeout: Any = ...,
    ) -> Any:
        """Build a request object of the HTTP library."""
        ...

    def send(self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: bool = ...) -> Any:
        """Send a request and return a response object of the HTTP library."""
        ...

    def close(self) -> None:
        """Close the client. The SDK never calls this."""
        ...


class AsyncHttpClient(Protocol):
    """An `httpx.AsyncClient` or an `httpx2.AsyncClient`."""

    @property
    def is_closed(self) -> bool:
        """Whether the client has been closed."""
        ...

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: Any = ...,
        data: Any = ...,
        files: Any = ...,
        headers: Any = ...,
        timeout: Any = ...,
    ) -> Any:
        """Build a request object of the HTTP library."""
        ...

    async def send(self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: bool = ...) -> Any:
        """Send a request and return a response object of the HTTP library."""
        ...

    async def aclose(self) -> None:
        """Close the client. The SDK never calls this."""
        ...


def _strategy(_: object, field: attrs.Attribute[Any], value: object) -> None:
    """Reject values that are not tenacity strategies, and coroutine functions."""
    example = {"stop": "stop_after_attempt(6)", "wait": "wait_fixed(2)"}.get(field.name, "retry_if_exception(…)")
    if value is None:
        return
    # A tenacity controller such as Retrying(…) is callable too, and would retry within the retry.
    if isinstance(value, type) or not callable(value) or hasattr(value, "statistics"):
        raise ConfigurationError(f"{field.name} must be a strategy of tenacity, such as {example}; got {value!r}")
    if any(iscoroutinefunction(found) for found in (value, type(value).__call__)):
        raise ConfigurationError(f"{field.name} must be awaited; take a strategy of tenacity, not of tenacity.asyncio")


def _attempts(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int or value < 0:
        raise ConfigurationError(f"{field.name} must be a whole number, 0 or more; got {value!r}")


@public
@attrs.frozen(kw_only=True)
class Retry:
    """When to retry a failed call, as tenacity strategies.

    The strategies are consulted after failed attempts only, and cannot override the rules that keep data safe: a
    request that is not idempotent and has no `Idempotency-Key` is sent once, as is a body that cannot be read again; a
    `Retry-After` replaces `wait` exactly; no wait exceeds the deadline; every retry counts against the client's retry
    budget. Authentication, configuration and argument errors are never retried.

    Raises:
        ConfigurationError: a value is not a strategy, or is one that must be awaited.

    Example:
        Retry(
            stop=stop_after_attempt(6) | stop_before_delay(10),
            wait=wait_random_exponential(max=20),
        )
    """

    stop: Callable[[Any], bool] | None = attrs.field(default=None, validator=_strategy)
    """When to stop, such as `tenacity.stop_before_delay(10)`; None stops after `max_retries` retries."""
    wait: Callable[[Any], float] | None = attrs.field(default=None, validator=_strategy)
    """Seconds before the next attempt, such as `tenacity.wait_fixed(2)`; None means 1, 2, 4 … 60 s, each ±10 %."""
    retry: Callable[[Any], bool] | None = attrs.field(default=None, validator=_strategy)
    """Which errors to retry, such as `tenacity.retry_if_exception_type(NotFoundError)`; None means those whose
    `is_retry_safe` is true."""
    max_retries: int = attrs.field(default=2, validator=_attempts)
    """Attempts after the first; used when `stop` is None."""


class RequestOptions(TypedDict, total=False):
    """Options that every call accepts in addition to its own arguments; they apply to that call only."""

    timeout: float
    """Seconds one attempt may take."""
    deadline: float | None
    """Seconds the call may take in total; None means no limit."""
    max_retries: int
    """Attempts after the first; the short form of `retry`."""
    retry: Retry
    """When to retry."""
    headers: Mapping[str, str]
    """Headers to add; `Authorization` is not allowed."""
    idempotency_key: str | None
    """The `Idempotency-Key` of a POST; None generates one."""
    pacing: bool
    """Whether to wait for the next window when the rate limit is exhausted."""


class _Addresses(TypedDict, total=False):
    base_url: str | None
    auth_url: str | None
    environment: str | None
    timeout: float | None
    max_retries: int | None
    retry: Retry | None


class _Calls(_Addresses, total=False):
    deadline: float | None
    pacing: bool


class ClientOptions(_Calls, total=False):
    """Options of `Client`, except credentials."""

    token_cache: TokenCache | None
    on_token_refreshed: Callable[[dict[str, Any]], None] | None
    hooks: Hooks | None
    http_client: HttpClient | None
    transport: Literal["direct", "httpcore"] | None


class AsyncClientOptions(_Calls, total=False):
    """Options of `AsyncClient`, except credentials."""

    token_cache: AnyTokenCache | None
    on_token_refreshed: Callable[[dict[str, Any]], Awaitable[None] | None] | None
    hooks: AsyncHooks | None
    http_client: AsyncHttpClient | None
    transport: Literal["direct", "httpcore", "aiohttp"] | None


class LoginOptions(_Addresses, total=False):
    """Options of a login: the application, the URLs, the HTTP client."""

    client_id: str | None
    client_secret: str | None
    http_client: HttpClient | None


class AsyncLoginOptions(_Addresses, total=False):
    """Like `LoginOptions`, for async code."""

    client_id: str | None
    client_secret: str | None
    http_client: AsyncHttpClient | None
