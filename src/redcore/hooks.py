"""Functions of an application that are called before and after each attempt of a call, and what they are told.

An attempt is one request that is sent: the first one of a call, each retry, and each request for a token that the call
needed. What hooks are told holds no secret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import attrs

from redcore._base.public import public
from redcore._base.response import Headers
from redcore.exceptions import RedcoreError

Added: TypeAlias = Mapping[str, str] | None
"""Headers that an attempt is sent with beside those it has; None is none."""


@public
@attrs.frozen(kw_only=True)
class Attempt:
    """A request that is about to be sent."""

    operation: str
    """What is asked for, as the specification names it: `users_get`; `auth_token` for a token that the call needs."""
    number: int
    """Counts the requests of this operation in one call, from 1."""
    method: str
    url: str
    url_template: str | None = None
    """The URL with the names of its path parameters in place of their values, such as `{user_id}`, and without a query;
    None for `client.request`, whose path is the caller's."""
    headers: Headers
    """What is sent, `[hidden]` in place of each value that may be secret."""
    request_id: str
    """The `X-Request-ID` of the call, the same for all its attempts."""


@public
@attrs.frozen(kw_only=True)
class AttemptResult:
    """How an attempt ended: with an answer of any status, or with an error."""

    attempt: Attempt
    duration_s: float
    """Seconds from sending to the last byte of the answer."""
    status: int | None = None
    """HTTP status; None if no answer came."""
    headers: Headers | None = None
    """Headers of the answer; None if none came."""
    error: RedcoreError | None = None
    """Why there is no answer."""

    @property
    def status_code(self) -> int | None:
        """HTTP status, under the name that HTTP libraries use."""
        return self.status


@public
@attrs.frozen(kw_only=True)
class AsyncHooks:
    """What an `AsyncClient` calls before and after each attempt; coroutine functions are awaited."""

    before_attempt: Callable[[Attempt], Added | Awaitable[Added]] | None = None
    """May return headers to send with this attempt: any that `with_options(headers=…)` takes but `X-Request-ID`."""
    after_attempt: Callable[[AttemptResult], Awaitable[None] | None] | None = None
    """Called when what came has been read, before the client waits, tries again or returns."""


@public
@attrs.frozen(kw_only=True)
class Hooks(AsyncHooks):
    """What a client calls before and after each attempt.

    What a hook raises ends the call and reaches the caller as it is.
    """

    before_attempt: Callable[[Attempt], Added] | None = None
    """May return headers to send with this attempt: any that `with_options(headers=…)` takes but `X-Request-ID`."""
    after_attempt: Callable[[AttemptResult], None] | None = None
    """Called when what came has been read, before the client waits, tries again or returns."""
