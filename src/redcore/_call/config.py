"""The configuration of a client: validates arguments and environment variables, or raises a ConfigurationError.

An argument takes precedence over any variable (contract section 7, Client). No message contains a secret.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import attrs

from redcore._base.values import UNSET, exact
from redcore._call.addresses import checked_url, chosen_origin, chosen_url
from redcore._call.arguments import ClientArguments, check_names, with_checked_texts
from redcore._call.credentials import Credentials, application, credentials
from redcore._call.engine import CallOptions
from redcore._call.headers import checked_headers
from redcore.exceptions import ArgumentError, ConfigurationError
from redcore.options import Retry
from redcore.tokens.token_set import is_sendable

T = TypeVar("T")
LONGEST_S = 1_000_000.0  # operating systems do not support much longer timers
TWO_POLICIES = "give either retry or max_retries, not both: max_retries is the short form of retry"


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
    given = with_checked_texts(given)
    return configured(given, credentials(given, env), env)


def configure_login(given: ClientArguments, env: Mapping[str, str] = os.environ) -> Config:
    """Like `configure`, for an application without tokens that is about to log a person in."""
    given = with_checked_texts(given)
    return configured(given, application(given, env), env)


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
    check_names(changes, OPTIONS, "a call takes its own arguments and")
    for name, value in changes.items():
        if value is not UNSET:
            field, checked = OPTIONS[name](options, value)
            changed[field] = checked
    return attrs.evolve(options, **changed)


def sendable_key(key: Any) -> str | None:
    """Validate an `Idempotency-Key`.

    Raises:
        ArgumentError: it cannot be sent.
    """
    if key is not None and not isinstance(key, str):
        raise ArgumentError(f"idempotency_key must be a string, not {type(key).__name__}")
    if key is not None and not is_sendable(key):
        raise ArgumentError("idempotency_key must be one or more visible ASCII characters, without spaces")
    return None if key is None else exact(key)


def whether(name: str, value: object) -> bool:
    """Validate an option that is on or off.

    Raises:
        ConfigurationError: it is something else, such as the text of an environment variable, where "no" would be on.
    """
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {value!r}")
    return value


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
    "pacing": lambda _, value: ("pacing", whether("pacing", value)),
}
"""The options that calls and `with_options` accept: the field that each changes, and its check."""


def seconds(name: str, value: float | None, env: Mapping[str, str]) -> float | None:
    """A duration from an argument, or from its environment variable; None if neither is given.

    Raises:
        ConfigurationError: it is not a number of seconds above 0.
    """
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
    """Return the value of an option that requires one.

    Raises:
        ConfigurationError: it is None.
    """
    if value is None:
        raise ConfigurationError(f"{name} must be a number, not None; leave it out to keep what the client has")
    return value


def policy(given: ClientArguments, env: Mapping[str, str]) -> Retry:
    """The retry policy.

    Raises:
        ConfigurationError: it is given in both forms, or is not a policy.
    """
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
    """The number of retries from an argument, its environment variable or the default.

    Raises:
        ConfigurationError: it is not a whole number, 0 or more.
    """
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
