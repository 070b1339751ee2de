"""Names and types of options that several functions take, for type checkers; `Client` says what they mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol, TypedDict

from redcore.hooks import AsyncHooks, Hooks
from redcore.tokens.cache import AnyTokenCache, TokenCache


class HttpClient(Protocol):
    """An `httpx.Client` or an `httpx2.Client`."""

    @property
    def is_closed(self) -> bool:
        """Whether it can send no more."""
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
        """A request of its library."""
        ...

    def send(self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: bool = ...) -> Any:
        """An answer of its library."""
        ...

    def close(self) -> None:
        """Close it, which the SDK never does."""
        ...


class AsyncHttpClient(Protocol):
    """An `httpx.AsyncClient` or an `httpx2.AsyncClient`."""

    @property
    def is_closed(self) -> bool:
        """Whether it can send no more."""
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
        """A request of its library."""
        ...

    async def send(self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: bool = ...) -> Any:
        """An answer of its library."""
        ...

    async def aclose(self) -> None:
        """Close it, which the SDK never does."""
        ...


class RequestOptions(TypedDict, total=False):
    """Options that every call takes beside its own arguments; each counts for that call alone."""

    timeout: float
    """Seconds one attempt may take."""
    deadline: float | None
    """Seconds the call may take in all; None is no limit."""
    max_retries: int
    """Attempts after the first."""
    headers: Mapping[str, str]
    """Headers to add; `Authorization` cannot be one."""
    idempotency_key: str | None
    """The `Idempotency-Key` of a POST; None makes one."""
    pacing: bool
    """Whether to wait for the next window when the rate limit is used up."""


class _Addresses(TypedDict, total=False):
    base_url: str | None
    auth_url: str | None
    environment: str | None
    timeout: float | None
    max_retries: int | None


class _Calls(_Addresses, total=False):
    deadline: float | None
    pacing: bool


class ClientOptions(_Calls, total=False):
    """Options of `Client` that say nothing about credentials."""

    token_cache: TokenCache | None
    on_token_refreshed: Callable[[dict[str, Any]], None] | None
    hooks: Hooks | None
    http_client: HttpClient | None


class AsyncClientOptions(_Calls, total=False):
    """Options of `AsyncClient` that say nothing about credentials."""

    token_cache: AnyTokenCache | None
    on_token_refreshed: Callable[[dict[str, Any]], Awaitable[None] | None] | None
    hooks: AsyncHooks | None
    http_client: AsyncHttpClient | None
    transport: Literal["aiohttp"] | None


class LoginOptions(_Addresses, total=False):
    """What a login goes through: the application, the addresses, the HTTP client."""

    client_id: str | None
    client_secret: str | None
    http_client: HttpClient | None


class AsyncLoginOptions(_Addresses, total=False):
    """As `LoginOptions`, for code that awaits."""

    client_id: str | None
    client_secret: str | None
    http_client: AsyncHttpClient | None
