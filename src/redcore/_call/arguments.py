"""The arguments of a client: which there are, and whether each is of the right kind. No message contains a secret."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from inspect import iscoroutinefunction
from typing import Any, TypeAlias

import attrs

from redcore._base.values import exact
from redcore._wire.callbacks import check_blocking_callback
from redcore.exceptions import ConfigurationError
from redcore.hooks import AsyncHooks
from redcore.options import Retry
from redcore.tokens.cache import AnyTokenCache

OnTokenRefreshed: TypeAlias = Callable[[dict[str, Any]], Awaitable[None] | None]


@attrs.frozen(kw_only=True)
class ClientArguments:
    """The arguments of `Client`, unchecked."""

    api_key: str | None = attrs.field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = attrs.field(default=None, repr=False)
    access_token: str | None = attrs.field(default=None, repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    scope: str | None = None
    base_url: str | None = None
    auth_url: str | None = None
    environment: str | None = None
    timeout: float | None = None
    deadline: float | None = None
    max_retries: int | None = None
    retry: Retry | None = None


TEXTS = tuple(name for name, kind in ClientArguments.__annotations__.items() if kind == "str | None")
"""The arguments that are strings."""


def with_checked_texts(given: ClientArguments) -> ClientArguments:
    """Reject other types of values where text is expected, such as the SecretStr of a settings library.

    Returns:
        The arguments with plain strings, which format as what they are.

    Raises:
        ConfigurationError: names the argument and the type; the value may be a secret.
    """
    for name in TEXTS:
        value = getattr(given, name)
        if value is not None and not isinstance(value, str):
            hint = ""
            if hasattr(value, "get_secret_value"):
                hint = "; pass what its get_secret_value() returns"
            elif name == "scope":
                hint = "; separate scopes by spaces"
            raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}{hint}")
    texts: dict[str, Any] = {name: exact(value) for name in TEXTS if (value := getattr(given, name)) is not None}
    return attrs.evolve(given, **texts)


def check_names(given: Iterable[str], known: Collection[str], there_are: str = "there are") -> None:
    """Reject options that nothing reads, such as misspelt ones.

    Args:
        given: Names of options.
        known: Names of those that are read.
        there_are: Words before the known ones in the error.

    Raises:
        TypeError: there is no option of that name.
    """
    for name in given:
        if name not in known:
            raise TypeError(f"there is no option {name!r}; {there_are} {', '.join(known)}")


def check_objects(cache: object, callback: object, hooks: object) -> None:
    """Reject objects that the first call could not use.

    Raises:
        ConfigurationError: one of them is something else.
    """
    if isinstance(cache, type):
        raise ConfigurationError(f"token_cache is a class; make an object of it, as in {cache.__name__}()")
    if cache is not None and not all(callable(getattr(cache, name, None)) for name in ("get", "set", "delete")):
        kind = type(cache).__name__
        raise ConfigurationError(f"token_cache must have the methods get, set and delete, as FileCache(); got {kind}")
    if callback is not None and not callable(callback):
        raise ConfigurationError(f"on_token_refreshed must be a function; got {type(callback).__name__}")
    check_hooks(hooks)


def check_hooks(hooks: object) -> None:
    """Reject hooks that are something else; raises as `check_objects` does."""
    if hooks is not None and not isinstance(hooks, AsyncHooks):
        raise ConfigurationError(f"hooks must be redcore.Hooks or redcore.AsyncHooks; got {type(hooks).__name__}")
    for name in ("before_attempt", "after_attempt"):
        hook = getattr(hooks, name, None)
        if hook is not None and not callable(hook):
            raise ConfigurationError(f"{name} must be a function; got {type(hook).__name__}")


def check_blocking(cache: AnyTokenCache | None, callback: OnTokenRefreshed | None, hooks: AsyncHooks | None) -> None:
    """Reject async caches, callbacks and hooks, which only `AsyncClient` can await.

    Raises:
        ConfigurationError: one of them has coroutine functions.
    """
    if cache is not None and iscoroutinefunction(cache.get):
        name = type(cache).__name__
        raise ConfigurationError(f"token_cache: {name} must be awaited; use AsyncClient, or another cache")
    check_blocking_callback("on_token_refreshed", callback)
    if hooks is not None:
        check_blocking_callback("before_attempt", hooks.before_attempt)
        check_blocking_callback("after_attempt", hooks.after_attempt)
