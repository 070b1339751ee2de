"""Hooks: functions of the application that are called before and after each attempt, and their arguments.

An attempt is one request: the first request of a call, each retry, and each token request that the call needs. The
arguments of hooks contain no secrets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import attrs

from redcore._base.public import public
from redcore._base.response import Headers
from redcore.exceptions import RedcoreError

Added: TypeAlias = Mapping[str, str] | None
"""Extra headers for this attempt, or None."""


@public
@attrs.frozen(kw_only=True)
class Attempt:
    """A request that is about to be sent."""

    operation: str
    """The operation id of the specification, such as `users_get`; `auth_token` for a token that the call needs."""
    number: int
    """Number of the request for this operation within one call, from 1."""
    method: str
    url: str
    url_template: str | None = None
    """The URL with path parameter names instead of values, such as `{user_id}`, and without a query; None for
    `client.request`, where the caller chooses the path."""
    headers: Headers
    """The request headers; each value that may be secret is replaced by `[hidden]`."""
    request_id: str
    """The `X-Request-ID` of the call, the same for all its attempts."""


@public
@attrs.frozen(kw_only=True)
class AttemptResult:
    """How an attempt ended: with a response of any status, or with an error."""

    attempt: Attempt
    duration_s: float
    """Seconds from sending to the last byte of the response."""
    status_code: int | None = None
    """HTTP status; None if no response was received."""
    headers: Headers | None = None
    """Headers of the response; None if no response was received."""
    error: RedcoreError | None = None
    """Why no response was received."""


@public
@attrs.frozen(kw_only=True)
class AsyncHooks:
    """Hooks of an `AsyncClient`, called before and after each attempt; coroutine functions are awaited."""

    before_attempt: Callable[[Attempt], Added | Awaitable[Added]] | None = None
    """May return extra headers for this attempt: any that `with_options(headers=…)` accepts, except `X-Request-ID`."""
    after_attempt: Callable[[AttemptResult], Awaitable[None] | None] | None = None
    """Called when the response has been read, before the client waits, retries or returns."""


@public
@attrs.frozen(kw_only=True)
class Hooks(AsyncHooks):
    """Hooks of a client, called before and after each attempt.

    An exception raised by a hook ends the call and reaches the caller unchanged.
    """

    before_attempt: Callable[[Attempt], Added] | None = None
    """May return extra headers for this attempt: any that `with_options(headers=…)` accepts, except `X-Request-ID`."""
    after_attempt: Callable[[AttemptResult], None] | None = None
    """Called when the response has been read, before the client waits, retries or returns."""
