"""The configuration of a client: validates arguments and environment variables, or raises a ConfigurationError.

An argument takes precedence over any variable (contract section 7, Client). No message contains a secret.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

import attrs

from redcore._base.values import UNSET
from redcore._call.authenticator import Credentials, OnTokenRefreshed
from redcore._call.engine import CallOptions
from redcore._call.headers import checked_headers
from redcore.exceptions import ArgumentError, ConfigurationError
from redcore.hooks import AsyncHooks
from redcore.options import Retry
from redcore.tokens.cache import AnyTokenCache
from redcore.tokens.token_set import is_sendable

T = TypeVar("T")
LONGEST_S = 1_000_000.0  # operating systems do not support much longer timers
TWO_POLICIES = "give either retry or max_retries, not both: max_retries is the short form of retry"
PLACEHOLDER = re.compile(
    r".*(…|\.{3}|\*{3}).*|<.*>|\[.*\]|\$\w+|\$?\{.*\}"
    r"|(rk_(live|test)_)?(your[-_ ]\w[-_ \w]*|x{3,}|change[-_ ]?me|placeholder)",
    re.IGNORECASE,
)
"""Placeholders of pasted examples: `rk_live_…`, `<api key>`, `${API_KEY}`, `rk_test_YOUR_KEY`."""
ENVIRONMENTS = {
    "production": "https://api.blueround.com/v1",
    "staging": "https://api.blueround.dev/v1",
}


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


@attrs.frozen(kw_only=True)
class Config:
    """The validated configuration of a client."""

    credentials: Credentials
    base_url: str
    """Without a trailing slash."""
    auth_origin: str
    """Scheme, host and port."""
    options: CallOptions


def configure(given: ClientArguments, env: Mapping[str, str] = os.environ) -> Config:
    """Validate the arguments, and fill in missing ones from the environment.

    Raises:
        ConfigurationError: something is missing, malformed or contradictory.
    """
    check_texts(given)
    return configured(given, credentials(given, env), env)


def configure_login(given: ClientArguments, env: Mapping[str, str] = os.environ) -> Config:
    """Like `configure`, for an application without tokens that is about to log a person in."""
    check_texts(given)
    return configured(given, application(given, env), env)


def check_texts(given: ClientArguments) -> None:
    """Reject other types of values where text is expected, such as the SecretStr of a settings library.

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


def check_blocking(cache: AnyTokenCache | None, callback: OnTokenRefreshed | None) -> None:
    """Reject async caches and callbacks, which only `AsyncClient` can await.

    Raises:
        ConfigurationError: the cache or the callback has coroutine functions.
    """
    if cache is not None and iscoroutinefunction(cache.get):
        name = type(cache).__name__
        raise ConfigurationError(f"token_cache: {name} must be awaited; use AsyncClient, or another cache")
    if iscoroutinefunction(callback):
        raise ConfigurationError("on_token_refreshed is a coroutine function; use AsyncClient, or a plain function")


def configured(given: ClientArguments, identity: Credentials, env: Mapping[str, str]) -> Config:
    """The settings that do not depend on the credentials: URLs and limits."""
    base_url = checked_url(*chosen_url(given, env))
    options = CallOptions(
        timeout_s=30.0 if (timeout := seconds("timeout", given.timeout, env)) is None else timeout,
        deadline_s=seconds("deadline", given.deadline, {}),
        retry=policy(given, env),
    )
    return Config(
        credentials=identity,
        base_url=base_url,
        auth_origin=chosen_origin(given, env, base_url),
        options=options,
    )


def reconfigure(options: CallOptions, changes: Mapping[str, Any]) -> CallOptions:
    """Return the options with the given changes; headers are added to the existing ones.

    Args:
        options: The current options.
        changes: Options by their names in `with_options`; an option that is UNSET is not changed.

    Raises:
        ConfigurationError: a number is out of range.
        ArgumentError: a header or key cannot be sent.
        TypeError: there is no option of that name.
    """
    changed: dict[str, Any] = {}
    if changes.get("retry", UNSET) is not UNSET and changes.get("max_retries", UNSET) is not UNSET:
        raise ConfigurationError(TWO_POLICIES)
    for name, value in changes.items():
        if name not in OPTIONS:
            raise TypeError(f"there is no option {name!r}; a call takes its own arguments and {', '.join(OPTIONS)}")
        if value is not UNSET:
            field, checked = OPTIONS[name](options, value)
            changed[field] = checked
    return attrs.evolve(options, **changed)


def sendable_key(key: Any) -> str | None:
    """Validate an `Idempotency-Key`.

    Raises:
        ArgumentError: it cannot be sent.
    """
    if key is not None and not is_sendable(key):
        raise ArgumentError("idempotency_key must be one or more visible ASCII characters, without spaces")
    return cast("str | None", key)


Change: TypeAlias = Callable[[CallOptions, Any], tuple[str, Any]]
OPTIONS: Mapping[str, Change] = {
    "timeout": lambda _, value: ("timeout_s", needed("timeout", seconds("timeout", value, {}))),
    "deadline": lambda _, value: ("deadline_s", seconds("deadline", value, {})),
    "max_retries": lambda had, value: (
        "retry",
        attrs.evolve(had.retry, stop=None, max_retries=retries(needed("max_retries", value), {})),
    ),
    "retry": lambda _, value: ("retry", checked_policy(value)),
    "headers": lambda had, value: ("headers", {**had.headers, **checked_headers(value)}),
    "idempotency_key": lambda _, value: ("idempotency_key", sendable_key(value)),
    "pacing": lambda _, value: ("pacing", bool(value)),
}
"""The options that calls and `with_options` accept: the field that each changes, and its check."""


# Addresses -----------------------------------------------------------------------------------


def chosen_url(given: ClientArguments, env: Mapping[str, str]) -> tuple[str, str]:
    """The name of the setting that determines the API's URL, and the URL."""
    if given.base_url is not None:
        return "base_url", given.base_url
    if given.environment is not None:
        return environment_url("environment", given.environment)
    if env.get("REDCORE_BASE_URL"):
        return "REDCORE_BASE_URL", env["REDCORE_BASE_URL"]
    return environment_url("REDCORE_ENVIRONMENT", env.get("REDCORE_ENVIRONMENT") or "production")


def environment_url(name: str, value: str) -> tuple[str, str]:
    if value not in ENVIRONMENTS:
        raise ConfigurationError(f"{name} must be one of {', '.join(ENVIRONMENTS)}; got {value!r}")
    return name, ENVIRONMENTS[value]


def chosen_origin(given: ClientArguments, env: Mapping[str, str], base_url: str) -> str:
    if given.auth_url is not None:
        return checked_origin("auth_url", given.auth_url)
    if env.get("REDCORE_AUTH_URL"):
        return checked_origin("REDCORE_AUTH_URL", env["REDCORE_AUTH_URL"])
    return origin(base_url)


def checked_url(name: str, url: str) -> str:
    """Return the URL without a trailing slash.

    Raises:
        ConfigurationError: it is not a URL that a client may send secrets to.
    """
    parts = split(name, url)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{name} must not hold a user name or password; use api_key or client_id")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ConfigurationError(f"{name} must not have a query or a fragment")
    if parts.scheme not in {"https", "http"}:
        raise ConfigurationError(f"{name} must begin with https://, as in https://api.blueround.com/v1")
    if not parts.hostname:
        raise ConfigurationError(f"{name} has no host; it looks like https://api.blueround.com/v1")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError(f"{name} must use https: plain http is for loopback hosts such as 127.0.0.1 only")
    return url.rstrip("/")


def checked_origin(name: str, url: str) -> str:
    """Like `checked_url`, for a URL that must not have a path."""
    checked = checked_url(name, url)
    if urlsplit(checked).path:
        raise ConfigurationError(f"{name} must be an origin, without a path, as in https://api.blueround.com")
    return checked


def split(name: str, url: str) -> SplitResult:
    malformed = ConfigurationError(f"{name} is not a URL; it looks like https://api.blueround.com/v1")
    if url and not url.isascii():
        raise ConfigurationError(f"{name} is not a URL: write its host as in DNS, such as xn--bcher-kva.example")
    if not url or any(c == "\\" or not "!" <= c <= "~" for c in url):
        raise malformed
    try:
        parts = urlsplit(url)
        _ = parts.port  # `urlsplit` validates the port only on access
        (parts.hostname or "").encode("idna")  # as name resolution does, which has no clear error for an invalid name
    except ValueError:  # not chained: its message quotes what may be a password
        raise malformed from None
    return parts


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# Numbers -------------------------------------------------------------------------------------


def seconds(name: str, value: float | None, env: Mapping[str, str]) -> float | None:
    """A duration from an argument, or from its environment variable."""
    variable = f"REDCORE_{name.upper()}"
    raw: float | str | None = value if value is not None else env.get(variable) or None
    if raw is None:
        return None
    try:
        number = float(raw)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number <= LONGEST_S:
        where = name if value is not None else variable
        raise ConfigurationError(f"{where} must be a number of seconds above 0, up to {LONGEST_S:.0f}; got {raw!r}")
    return number


def needed(name: str, value: T | None) -> T:
    """Reject None for an option that requires a value."""
    if value is None:
        raise ConfigurationError(f"{name} must be a number, not None; leave it out to keep what the client has")
    return value


def policy(given: ClientArguments, env: Mapping[str, str]) -> Retry:
    """The retry policy."""
    if given.retry is None:
        return Retry(max_retries=retries(given.max_retries, env))
    if given.max_retries is not None:
        raise ConfigurationError(TWO_POLICIES)
    return checked_policy(given.retry)


def checked_policy(value: object) -> Retry:
    """Validate a retry policy.

    Raises:
        ConfigurationError: it is something else, such as a strategy or a decorator of tenacity.
    """
    if not isinstance(value, Retry):
        raise ConfigurationError(f"retry must be a redcore.Retry, as in Retry(max_retries=5); got {value!r}")
    return value


def retries(value: int | None, env: Mapping[str, str]) -> int:
    raw: int | str | None = value if value is not None else env.get("REDCORE_MAX_RETRIES") or None
    if raw is None:
        return Retry().max_retries
    where = "max_retries" if value is not None else "REDCORE_MAX_RETRIES"
    try:
        number = int(raw) if isinstance(raw, str) or type(raw) is int else -1
    except ValueError:
        number = -1
    if number < 0:
        raise ConfigurationError(f"{where} must be a whole number, 0 or more; got {raw!r}")
    return number


# Credentials ---------------------------------------------------------------------------------


def credentials(given: ClientArguments, env: Mapping[str, str]) -> Credentials:
    """Select the single way to authenticate from arguments and environment."""
    others = {
        "client_id": given.client_id,
        "client_secret": given.client_secret,
        "access_token": given.access_token,
        "refresh_token": given.refresh_token,
    }
    named = [name for name, value in others.items() if value is not None]
    if given.api_key is not None and named:
        raise ConfigurationError(f"give either api_key or {named[0]}, not both: a client speaks for one identity")
    if given.api_key is None and not named and env.get("REDCORE_API_KEY"):
        return Credentials(api_key=secret("REDCORE_API_KEY", env["REDCORE_API_KEY"]))
    if given.api_key is not None:
        return Credentials(api_key=secret("api_key", given.api_key))
    found = Credentials(
        client_id=from_either("client_id", given.client_id, env),
        client_secret=from_either("client_secret", given.client_secret, env),
        access_token=secret("access_token", given.access_token),
        refresh_token=secret("refresh_token", given.refresh_token),
        scope=given.scope,
    )
    if not (found.access_token or found.refresh_token or found.can_ask_anew):
        raise ConfigurationError(missing(found))
    return found


def application(given: ClientArguments, env: Mapping[str, str]) -> Credentials:
    """The application that people log in to; a secret of the environment is used only with its client id."""
    client_id = from_either("client_id", given.client_id, env)
    if client_id is None:
        raise ConfigurationError("client_id is missing: pass client_id= or set REDCORE_CLIENT_ID")
    is_from_env = client_id == env.get("REDCORE_CLIENT_ID")
    client_secret = from_either("client_secret", given.client_secret, env if is_from_env else {})
    return Credentials(client_id=client_id, client_secret=client_secret, personal=True)


def missing(found: Credentials) -> str:
    if found.client_id is not None:
        return "client_secret is missing: pass client_secret= or set REDCORE_CLIENT_SECRET"
    if found.client_secret is not None:
        return "client_id is missing: pass client_id= or set REDCORE_CLIENT_ID"
    return (
        "no credentials: pass api_key= or set REDCORE_API_KEY; or pass client_id= and client_secret= or set "
        "REDCORE_CLIENT_ID and REDCORE_CLIENT_SECRET; or pass access_token= or refresh_token="
    )


def from_either(name: str, value: str | None, env: Mapping[str, str]) -> str | None:
    variable = f"REDCORE_{name.upper()}"
    return secret(name, value) if value is not None else secret(variable, env.get(variable) or None)


def secret(name: str, value: str | None) -> str | None:
    """Validate a value to be sent in a header; the error message never contains it.

    Raises:
        ConfigurationError: it cannot be sent, or it is the placeholder of an example.
    """
    if value is not None and PLACEHOLDER.fullmatch(value):
        raise ConfigurationError(f"{name} is the placeholder of an example: put your own in its place")
    if value is not None and not is_sendable(value):
        raise ConfigurationError(f"{name} is empty or has characters that it cannot have, such as spaces or line ends")
    return value
