"""The two clients: each performs the steps of a call (`_call/steps.py`), one by blocking, one by awaiting.

Longer than other files, as every option of every constructor is written out in both colours, for editors and checkers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from inspect import getattr_static, isawaitable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, Unpack, assert_never, cast

import attrs

from redcore._base.cancellation import deliver, to_the_end
from redcore._base.event_loops import is_green
from redcore._base.interrupts import interrupts
from redcore._base.operation import Operation
from redcore._base.public import public
from redcore._base.runtime import Runtime
from redcore._base.values import UNSET, Unset
from redcore._call.arguments import (
    ClientArguments,
    OnTokenRefreshed,
    check_blocking,
    check_hooks,
    check_names,
    check_objects,
)
from redcore._call.authenticator import Authenticator
from redcore._call.config import Config, configure, configure_login, reconfigure, whether
from redcore._call.credentials import saml_bearer
from redcore._call.engine import CallOptions, Engine
from redcore._call.pacer import Pacer
from redcore._call.pickling import PickledClient
from redcore._call.steps import (
    Acquire,
    Ask,
    Close,
    Flow,
    Notify,
    Outlasted,
    Read,
    Renewal,
    Send,
    Sleep,
    Step,
    Stream,
    Work,
    drive,
    drive_async,
)
from redcore._call.token_store import answer_async
from redcore._resources.auth import AsyncAuth, Auth
from redcore._resources.files import AsyncFiles, Files
from redcore._resources.generated import AsyncResources, Resources
from redcore._resources.resource import resource, resource_of
from redcore._resources.workflows import AsyncOnProgress, AsyncWorkflows, OnProgress, Workflows, waiting
from redcore._spec.models import WorkflowRun
from redcore._telemetry import OBSERVERS
from redcore._transfer.transfers import Transfers
from redcore._transport import AsyncTransport, Transport, open_async_transport, open_transport
from redcore._transport.errors import closed
from redcore._transport.perform import perform, perform_async
from redcore._transport.stand_in import STAGE
from redcore._wire.callbacks import at_once
from redcore._wire.custom_request import custom
from redcore._wire.rate_limit import RateLimit
from redcore._wire.raw_response import RawResponse
from redcore.exceptions import ConfigurationError
from redcore.hooks import AsyncHooks, Hooks
from redcore.options import AsyncClientOptions, AsyncHttpClient, ClientOptions, HttpClient, RequestOptions, Retry
from redcore.tokens.cache import AnyTokenCache, MemoryCache, TokenCache
from redcore.tokens.token_set import TokenSet

if TYPE_CHECKING:
    from redcore._resources.generated_raw import AsyncRaw, Raw

T = TypeVar("T")
HooksT = TypeVar("HooksT", bound=AsyncHooks)


class _Client(Generic[HooksT]):
    """What both clients share: configuration and options."""

    _awaits: ClassVar[bool]
    """Whether the client awaits the results of caches and callbacks."""
    _engine: Engine
    _options: CallOptions
    _pickled: PickledClient
    _transport: Any
    _transport_name: str | None
    """The `transport` argument; `given` if the application passed an HTTP client, which cannot be recreated."""
    _owner: bool

    @abstractmethod
    def _open(self, http_client: Any = None, transport: str | None = None) -> None:
        """Use the application's HTTP client, or open a transport."""

    @classmethod
    def _for_person(
        cls,
        options: Mapping[str, Any],
        *,
        client_id: str | None,
        client_secret: str | None,
        tokens: TokenSet | None = None,
    ) -> Self:
        """Make a client for a person who has logged in or, without tokens, is about to log in."""
        check_names(options, (*AsyncClientOptions.__annotations__, "client_id", "client_secret"))
        names = {"base_url", "auth_url", "environment", "timeout", "deadline", "max_retries", "retry"}
        chosen = {name: value for name, value in options.items() if name in names}
        client = object.__new__(cls)
        client._set_up(
            configure_login(ClientArguments(client_id=client_id, client_secret=client_secret, **chosen)),
            options.get("token_cache"),
            options.get("on_token_refreshed"),
            pacing=options.get("pacing", True),
            hooks=options.get("hooks"),
        )
        client._open(**{name: options[name] for name in ("http_client", "transport") if name in options})
        if tokens is not None:
            client._engine.auth.resume(tokens)
        return client

    def _set_up(
        self,
        config: Config,
        cache: AnyTokenCache | None,
        on_token_refreshed: OnTokenRefreshed | None,
        *,
        pacing: bool,
        hooks: AsyncHooks | None,
    ) -> None:
        check_objects(cache, on_token_refreshed, hooks)
        if not self._awaits:
            check_blocking(cache, on_token_refreshed, hooks)
        runtime = Runtime()
        auth = Authenticator(
            config.credentials,
            origin=config.auth_origin,
            cache=MemoryCache() if cache is None else cache,
            on_token_refreshed=on_token_refreshed,
            runtime=runtime,
        )
        pacer = Pacer(runtime.monotonic)
        self._engine = Engine(base_url=config.base_url, auth=auth, pacer=pacer, runtime=runtime, observers=OBSERVERS)
        self._options = attrs.evolve(config.options, pacing=whether("pacing", pacing), hooks=hooks)
        self._pickled = PickledClient.of(config, cache, on_token_refreshed)
        self._owner = True

    def with_options(self, *, hooks: HooksT | Unset | None = UNSET, **options: Unpack[RequestOptions]) -> Self:
        """Return a client with other options. It shares connections and tokens with this one and never closes them.

        Every method accepts the same options, except `hooks`, for a single call.

        Args:
            timeout: Seconds one attempt may take.
            deadline: Seconds one call may take in total; None means no limit.
            max_retries: Attempts after the first; replaces the `stop` of the client's `retry`.
            retry: When to retry; replaces the client's policy.
            headers: Headers to add to every call; `Authorization` is not allowed.
            idempotency_key: The `Idempotency-Key` of every POST; None generates one for each call.
            pacing: Whether to wait for the next window when the rate limit is exhausted.
            hooks: Called before and after each attempt; replaces the hooks of this client. None means no hooks.

        Raises:
            ConfigurationError: a number is out of range.
            ArgumentError: a header or key cannot be sent.
            TypeError: there is no such option.

        Example:
            client.with_options(timeout=5, max_retries=0)
        """
        derived = object.__new__(type(self))
        derived.__dict__.update(self._of_subclass())
        for name, value in self._in_slots().items():
            object.__setattr__(derived, name, value)
        derived._engine, derived._transport, derived._owner = self._engine, self._transport, False
        derived._pickled, derived._transport_name = self._pickled, self._transport_name
        derived._options = reconfigure(self._options, options)
        if hooks is not UNSET:
            check_hooks(hooks)
            if not self._awaits:
                check_blocking(None, None, hooks)
            derived._options = attrs.evolve(derived._options, hooks=hooks)
        return derived

    def _chosen(self, options: RequestOptions | None) -> CallOptions:
        """Merge the options of one call into those of the client."""
        return reconfigure(self._options, options) if options else self._options

    @property
    def rate_limit(self) -> RateLimit | None:
        """The rate limit window of the latest response, shared with `with_options` clients; None before the first."""
        return self._engine.pacer.latest

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self.with_options()  # an attribute of a subclass may be a lock, which cannot be copied

    def _of_subclass(self) -> dict[str, Any]:
        """The attributes that a subclass added, except cached properties and resources."""
        made = (cached_property, resource)
        found = {name: value for name, value in vars(self).items() if name not in _Client.__annotations__}
        return {
            name: value for name, value in found.items() if not isinstance(getattr_static(type(self), name, None), made)
        }

    def _in_slots(self) -> dict[str, Any]:
        """The attributes that a subclass keeps in `__slots__`."""
        state = object.__getstate__(self)
        return cast("dict[str, Any]", state[1]) if isinstance(state, tuple) else {}

    def __reduce__(self) -> tuple[Any, ...]:
        if self._transport_name == "given":
            raise ConfigurationError("a client with an http_client cannot be pickled; make one where it is needed")
        attributes, slots = self._of_subclass(), self._in_slots()
        state = (attributes, slots) if slots else attributes
        return self._again, (self._pickled, self._options, self._transport_name), state

    @classmethod
    def _again(cls, pickled: PickledClient, options: CallOptions, transport: str | None) -> Self:
        """Restore a pickled client with new connections, taking secrets from the environment."""
        client = object.__new__(cls)
        config = pickled.config(options)
        client._set_up(config, pickled.cache, pickled.on_token_refreshed, pacing=options.pacing, hooks=options.hooks)
        client._open(transport=transport)
        return client

    def _transfers(self, options: RequestOptions) -> Transfers:
        return Transfers(engine=self._engine, options=self._chosen(options))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._engine.base_url!r})"


@public
class Client(_Client[Hooks], Resources):
    """Client of the BlueRound platform, for blocking code. Safe to share between threads.

    Args:
        api_key: An API key, `rk_live_…` or `rk_test_…` (`REDCORE_API_KEY`).
        client_id: Id of an OAuth application (`REDCORE_CLIENT_ID`).
        client_secret: Its secret (`REDCORE_CLIENT_SECRET`).
        access_token: An access token of an earlier session.
        refresh_token: The refresh token that belongs to `access_token`.
        scope: Scopes to request, separated by spaces; None requests all that the application may have.
        base_url: URL of the API (`REDCORE_BASE_URL`); takes precedence over `environment`.
        auth_url: Origin of the OAuth endpoints (`REDCORE_AUTH_URL`); None means the origin of `base_url`.
        environment: `production` or `staging` (`REDCORE_ENVIRONMENT`); None means production.
        timeout: Seconds one attempt may take (`REDCORE_TIMEOUT`); None means 30.
        deadline: Seconds one call may take, including all attempts, waits, pacing and token refreshes; None means no
            limit.
        max_retries: Attempts after the first (`REDCORE_MAX_RETRIES`); None means 2. The short form of `retry`.
        retry: When to retry, as tenacity strategies; None means `Retry()`.
        token_cache: Where tokens are kept, such as `redcore.tokens.FileCache()`; None keeps them in memory, for this
            client only.
        on_token_refreshed: Called with each new token pair as a dict, after it is stored.
        pacing: Whether to wait for the next window when the rate limit is exhausted, instead of receiving a 429.
        hooks: Called before and after each attempt; None means no hooks.
        http_client: An `httpx.Client` or `httpx2.Client` to send requests with; the SDK never closes it. None lets the
            client open its own connections.
        transport: How the client makes its own connections: `direct` uses sockets and httptools, which takes the least
            CPU, and httpcore behind a proxy; `httpcore` uses httpcore. None means `direct` where httptools has a
            wheel, and httpx where respx, pytest-httpx or vcrpy have patched httpx.

    Raises:
        ConfigurationError: no usable credential, an API key together with another credential, an invalid URL or an
            invalid number.

    Source: contract section 7, Client.
    """

    _awaits = False
    _transport: Transport

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
        retry: Retry | None = None,
        token_cache: TokenCache | None = None,
        on_token_refreshed: Callable[[dict[str, Any]], None] | None = None,
        pacing: bool = True,
        hooks: Hooks | None = None,
        http_client: HttpClient | None = None,
        transport: Literal["direct", "httpcore"] | None = None,
    ) -> None:
        given = ClientArguments(
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
            retry=retry,
        )
        self._set_up(configure(given), token_cache, on_token_refreshed, pacing=pacing, hooks=hooks)
        self._open(http_client, transport)

    def _open(self, http_client: HttpClient | None = None, transport: str | None = None) -> None:
        self._transport = open_transport(http_client, transport)
        self._transport_name = transport if http_client is None else "given"

    @classmethod
    def from_tokens(
        cls,
        tokens: TokenSet,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """Continue the session of a person who has logged in.

        Unlike a client constructed with tokens and a secret, it never requests tokens for the application itself: when
        the session has ended, the person must log in again.

        Args:
            tokens: The result of a `redcore.login` function, or `TokenSet(**stored)`.
            client_id: The application that the person logged in to (`REDCORE_CLIENT_ID`).
            client_secret: Its secret (`REDCORE_CLIENT_SECRET`, if the id comes from the environment); None for a public
                application.
            options: As for `Client`, except credentials.

        Raises:
            ConfigurationError: no client id, an invalid URL or number, or invalid tokens.

        Example::

            Client.from_tokens(TokenSet(**stored), client_id="app_1")
        """
        return cls._for_person(options, client_id=client_id, client_secret=client_secret, tokens=tokens)

    @classmethod
    def from_saml_assertion(
        cls,
        *,
        assertion: str | bytes,
        client_id: str | None = None,
        client_secret: str | None = None,
        scope: str | None = None,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """Log in the person whom a SAML identity provider has just authenticated (RFC 7522).

        `on_token_refreshed` is also called with the first token pair. When the session ends, a new assertion is needed.

        Args:
            assertion: The identity provider's XML, unencoded: an assertion or the whole response. The SDK encodes it.
            client_id: The application that the person logs in to (`REDCORE_CLIENT_ID`).
            client_secret: Its secret (`REDCORE_CLIENT_SECRET`, if the id comes from the environment); None for a public
                application.
            scope: Scopes to request, separated by spaces; None requests all that the application may have.
            options: As for `Client`, except credentials.

        Raises:
            ArgumentError: the assertion is not XML.
            AuthenticationError: 400 or 401, the assertion (`invalid_grant`) or the application was rejected.
            ConfigurationError: no client id, or an invalid URL or number.
            RedcoreAPIError: 429, 500 or 503.
            NetworkError: no response was received.
            ResponseError: the response cannot be read.

        Example:
            Client.from_saml_assertion(assertion=xml, client_id="app_1")
        """
        grant = saml_bearer(assertion, scope)
        client = cls._for_person(options, client_id=client_id, client_secret=client_secret)
        try:
            client._run(client._engine.log_in(grant, client._options))  # noqa: SLF001 (our own)
        except BaseException:
            client.close()
            raise
        return client

    def close(self) -> None:
        """Close the connections. Safe to call twice. Does nothing on a client made by `with_options`."""
        if self._owner:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @resource
    def workflows(self) -> Workflows:
        """Long-running work, run by the background worker."""
        return Workflows(self._execute, self._wait)

    @resource
    def auth(self) -> Auth:
        """OAuth 2.0 endpoints for programs."""
        return Auth(self._execute, lambda options: self._run(self._engine.log_out(self._chosen(options))))

    @resource
    def files(self) -> Files:
        """Uploads and the results of workflows."""
        return Files(self._execute, self._run, self._transfers)

    @resource_of("redcore._resources.generated_raw")
    def raw(self) -> Raw:
        """The same resources, but each method returns a `RawResponse`: the value with status, headers and body."""
        from redcore._resources.generated_raw import Raw  # noqa: PLC0415 (few programs need it)

        return Raw(self._execute)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = UNSET,
        content: bytes | None = None,
        content_type: str = "application/octet-stream",
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Any]:
        """Call an endpoint that this version of the SDK does not know yet.

        Authentication, retries, pacing and errors work as for every call. GET, HEAD, OPTIONS, PUT and DELETE are
        retried; POST is retried with an `Idempotency-Key`; PATCH only if you pass one.

        Args:
            method: GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE.
            path: Relative to `base_url`, such as `/users/usr_1`; other characters must be percent-encoded.
            query: Query parameters; those that are None are omitted.
            json: The body, encoded as JSON; no body if omitted.
            content: The body as raw bytes, instead of JSON.
            content_type: Media type of `content`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The response; its value is the decoded JSON, the bytes if it is not JSON, or None if it is empty.

        Raises:
            ArgumentError: an argument cannot be sent, or the path could lead away from `base_url`.
            RedcoreAPIError: the server returned an error; the class depends on the status, as for every call.
            NetworkError: no response was received.
            ResponseError: the response cannot be read.

        Example:
            client.request("GET", "/reports", query={"year": 2026})
        """
        described = custom(
            method,
            path,
            query=query,
            json=json,
            content=content,
            content_type=content_type,
            keyed=self._chosen(options).idempotency_key is not None,
        )
        return self._execute(described, options)

    def _wait(self, run: WorkflowRun | str, timeout_s: float | None, on_progress: OnProgress | None) -> WorkflowRun:
        return self._run(waiting(self._engine, self._options, run, timeout_s, on_progress))

    def _execute(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        return self._run(self._engine.call(operation, self._chosen(options)))

    def _run(self, flow: Flow[T]) -> T:
        try:
            return drive(flow, self._perform)
        except Outlasted as outlasted:
            outlasted.go_on(flow, self._perform)
            raise outlasted.error from None
        finally:
            if interrupts.are_held:
                interrupts.deliver()

    @property
    def _sender(self) -> Transport:
        if STAGE.stand_in is None:
            return self._transport
        if self._transport.closed:
            raise closed()
        return STAGE.stand_in.blocking

    def _perform(self, step: Step) -> Any:  # noqa: PLR0911 (one for each step)
        if interrupts.are_held and not step.must_finish:
            interrupts.deliver()
        match step:
            case Send(request, timeout_s, must_finish):
                sender = self._sender
                if must_finish:
                    interrupts.hold()
                    if isinstance(step, Renewal) and (step.wait_s is not None or is_green()):
                        from redcore._transport.outlasting import await_renewal  # noqa: PLC0415 (rarely needed)

                        return await_renewal(sender.send, step)
                return sender.send(request, timeout_s)
            case Sleep(seconds):
                return self._engine.runtime.sleep(seconds)
            case Acquire(lock, timeout_s, claim):
                taken = lock.acquire(timeout_s, claim)
                interrupts.hold(when=taken)
                return taken
            case Ask(function, locks=locks):
                interrupts.hold(when=locks)
                return function()
            case Notify(callback, argument):
                return at_once(callback(argument))
            case Stream() | Read() | Close() | Work():
                return perform(self._sender, step)
            case _:
                assert_never(step)


@public
class AsyncClient(_Client[AsyncHooks], AsyncResources):
    """Client of the BlueRound platform, for asyncio and trio. Safe to share between tasks.

    Args:
        api_key: An API key, `rk_live_…` or `rk_test_…` (`REDCORE_API_KEY`).
        client_id: Id of an OAuth application (`REDCORE_CLIENT_ID`).
        client_secret: Its secret (`REDCORE_CLIENT_SECRET`).
        access_token: An access token of an earlier session.
        refresh_token: The refresh token that belongs to `access_token`.
        scope: Scopes to request, separated by spaces; None requests all that the application may have.
        base_url: URL of the API (`REDCORE_BASE_URL`); takes precedence over `environment`.
        auth_url: Origin of the OAuth endpoints (`REDCORE_AUTH_URL`); None means the origin of `base_url`.
        environment: `production` or `staging` (`REDCORE_ENVIRONMENT`); None means production.
        timeout: Seconds one attempt may take (`REDCORE_TIMEOUT`); None means 30.
        deadline: Seconds one call may take, including all attempts, waits, pacing and token refreshes; None means no
            limit.
        max_retries: Attempts after the first (`REDCORE_MAX_RETRIES`); None means 2. The short form of `retry`.
        retry: When to retry, as tenacity strategies; None means `Retry()`.
        token_cache: Where tokens are kept, such as `redcore.tokens.FileCache()`; None keeps them in memory, for this
            client only.
        on_token_refreshed: Called with each new token pair as a dict, after it is stored; may be a coroutine function.
        pacing: Whether to wait for the next window when the rate limit is exhausted, instead of receiving a 429.
        hooks: Called before and after each attempt; None means no hooks.
        http_client: An `httpx.AsyncClient` or `httpx2.AsyncClient` to send requests with; the SDK never closes it. None
            lets the client open its own connections.
        transport: How the client makes its own connections: `direct` uses sockets and httptools, which takes the least
            CPU, and httpcore behind a proxy and on trio; `httpcore` uses httpcore; `aiohttp` uses aiohttp, on asyncio
            only (`pip install 'redcore-sdk[aiohttp]'`). None means `direct` where httptools has a wheel, and httpx
            where respx, pytest-httpx or vcrpy have patched httpx.

    Raises:
        ConfigurationError: no usable credential, an API key together with another credential, an invalid URL or an
            invalid number.

    Source: contract section 7, Client.
    """

    _awaits = True
    _transport: AsyncTransport

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
        retry: Retry | None = None,
        token_cache: AnyTokenCache | None = None,
        on_token_refreshed: Callable[[dict[str, Any]], Awaitable[None] | None] | None = None,
        pacing: bool = True,
        hooks: AsyncHooks | None = None,
        http_client: AsyncHttpClient | None = None,
        transport: Literal["direct", "httpcore", "aiohttp"] | None = None,
    ) -> None:
        given = ClientArguments(
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
            retry=retry,
        )
        self._set_up(configure(given), token_cache, on_token_refreshed, pacing=pacing, hooks=hooks)
        self._open(http_client, transport)

    def _open(self, http_client: AsyncHttpClient | None = None, transport: str | None = None) -> None:
        self._transport = open_async_transport(http_client, transport)
        self._transport_name = transport if http_client is None else "given"

    @classmethod
    def from_tokens(
        cls,
        tokens: TokenSet,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        **options: Unpack[AsyncClientOptions],
    ) -> Self:
        """Continue the session of a person who has logged in.

        Unlike a client constructed with tokens and a secret, it never requests tokens for the application itself: when
        the session has ended, the person must log in again.

        Args:
            tokens: The result of a `redcore.login` function, or `TokenSet(**stored)`.
            client_id: The application that the person logged in to (`REDCORE_CLIENT_ID`).
            client_secret: Its secret (`REDCORE_CLIENT_SECRET`, if the id comes from the environment); None for a public
                application.
            options: As for `AsyncClient`, except credentials.

        Raises:
            ConfigurationError: no client id, an invalid URL or number, or invalid tokens.

        Example::

            AsyncClient.from_tokens(TokenSet(**stored), client_id="app_1")
        """
        return cls._for_person(options, client_id=client_id, client_secret=client_secret, tokens=tokens)

    @classmethod
    async def from_saml_assertion(
        cls,
        *,
        assertion: str | bytes,
        client_id: str | None = None,
        client_secret: str | None = None,
        scope: str | None = None,
        **options: Unpack[AsyncClientOptions],
    ) -> Self:
        """Log in the person whom a SAML identity provider has just authenticated (RFC 7522).

        `on_token_refreshed` is also called with the first token pair. When the session ends, a new assertion is needed.

        Args:
            assertion: The identity provider's XML, unencoded: an assertion or the whole response. The SDK encodes it.
            client_id: The application that the person logs in to (`REDCORE_CLIENT_ID`).
            client_secret: Its secret (`REDCORE_CLIENT_SECRET`, if the id comes from the environment); None for a public
                application.
            scope: Scopes to request, separated by spaces; None requests all that the application may have.
            options: As for `AsyncClient`, except credentials.

        Raises:
            ArgumentError: the assertion is not XML.
            AuthenticationError: 400 or 401, the assertion (`invalid_grant`) or the application was rejected.
            ConfigurationError: no client id, or an invalid URL or number.
            RedcoreAPIError: 429, 500 or 503.
            NetworkError: no response was received.
            ResponseError: the response cannot be read.

        Example:
            await AsyncClient.from_saml_assertion(assertion=xml, client_id="app_1")
        """
        grant = saml_bearer(assertion, scope)
        client = cls._for_person(options, client_id=client_id, client_secret=client_secret)
        try:
            await client._run(client._engine.log_in(grant, client._options))  # noqa: SLF001 (our own)
        except BaseException:
            await client.aclose()
            raise
        return client

    async def aclose(self) -> None:
        """Close the connections. Safe to call twice. Does nothing on a client made by `with_options`."""
        if self._owner:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @resource
    def workflows(self) -> AsyncWorkflows:
        """Long-running work, run by the background worker."""
        return AsyncWorkflows(self._execute, self._wait)

    @resource
    def auth(self) -> AsyncAuth:
        """OAuth 2.0 endpoints for programs."""
        return AsyncAuth(self._execute, lambda options: self._run(self._engine.log_out(self._chosen(options))))

    @resource
    def files(self) -> AsyncFiles:
        """Uploads and the results of workflows."""
        return AsyncFiles(self._execute, self._run, self._transfers)

    @resource_of("redcore._resources.generated_raw")
    def raw(self) -> AsyncRaw:
        """The same resources, but each method returns a `RawResponse`: the value with status, headers and body."""
        from redcore._resources.generated_raw import AsyncRaw  # noqa: PLC0415 (few programs need it)

        return AsyncRaw(self._execute)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = UNSET,
        content: bytes | None = None,
        content_type: str = "application/octet-stream",
        **options: Unpack[RequestOptions],
    ) -> RawResponse[Any]:
        """Call an endpoint that this version of the SDK does not know yet.

        Authentication, retries, pacing and errors work as for every call. GET, HEAD, OPTIONS, PUT and DELETE are
        retried; POST is retried with an `Idempotency-Key`; PATCH only if you pass one.

        Args:
            method: GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE.
            path: Relative to `base_url`, such as `/users/usr_1`; other characters must be percent-encoded.
            query: Query parameters; those that are None are omitted.
            json: The body, encoded as JSON; no body if omitted.
            content: The body as raw bytes, instead of JSON.
            content_type: Media type of `content`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The response; its value is the decoded JSON, the bytes if it is not JSON, or None if it is empty.

        Raises:
            ArgumentError: an argument cannot be sent, or the path could lead away from `base_url`.
            RedcoreAPIError: the server returned an error; the class depends on the status, as for every call.
            NetworkError: no response was received.
            ResponseError: the response cannot be read.

        Example:
            await client.request("GET", "/reports", query={"year": 2026})
        """
        described = custom(
            method,
            path,
            query=query,
            json=json,
            content=content,
            content_type=content_type,
            keyed=self._chosen(options).idempotency_key is not None,
        )
        return await self._execute(described, options)

    async def _wait(
        self, run: WorkflowRun | str, timeout_s: float | None, on_progress: AsyncOnProgress | None
    ) -> WorkflowRun:
        return await self._run(waiting(self._engine, self._options, run, timeout_s, on_progress))

    async def _execute(self, operation: Operation[T], options: RequestOptions | None = None, /) -> T:
        return await self._run(self._engine.call(operation, self._chosen(options)))

    async def _run(self, flow: Flow[T]) -> T:
        try:
            return await drive_async(flow, self._perform)
        except RuntimeError:
            from redcore._transport.per_loop import running_loop  # noqa: PLC0415 (blocking code needs no asyncio)

            running_loop()  # without a loop its error is clearer than that of the library that needed one
            raise
        except Outlasted as outlasted:
            outlasted.go_on(flow, self._perform)
            await deliver()
            raise outlasted.error from None

    @property
    def _sender(self) -> AsyncTransport:
        if STAGE.stand_in is None:
            return self._transport
        if self._transport.closed:
            raise closed()
        return STAGE.stand_in.awaited

    async def _perform(self, step: Step) -> Any:  # noqa: PLR0911 (one for each step)
        match step:
            case Send(request, timeout_s, must_finish):
                sender = self._sender
                if must_finish and isinstance(step, Renewal) and step.wait_s is not None:
                    from redcore._transport.outlasting import await_renewal_async  # noqa: PLC0415 (rarely needed)

                    return await await_renewal_async(sender.send, step)
                sending = sender.send(request, timeout_s)
                return await (to_the_end(sending) if must_finish else sending)
            case Sleep(seconds):
                return await self._engine.runtime.sleep_async(seconds)
            case Acquire(lock, timeout_s, claim):
                return await lock.acquire_async(timeout_s, claim)
            case Ask():
                return await answer_async(step)
            case Notify(callback, argument, must_finish):
                answer = callback(argument)
                if not isawaitable(answer):
                    return answer
                return await (to_the_end(cast("Awaitable[object]", answer)) if must_finish else answer)
            case Stream() | Read() | Close() | Work():
                return await perform_async(self._sender, step)
            case _:
                assert_never(step)
