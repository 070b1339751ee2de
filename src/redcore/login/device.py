"""The device flow (RFC 8628): the person logs in with a browser on any machine, while this one polls for the tokens.

For command lines without a browser. The caller shows the code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, Unpack

import attrs

from redcore._base.response import Headers, Response
from redcore._base.runtime import Runtime
from redcore._base.values import UNSET
from redcore._call.engine import CallOptions, Engine
from redcore._call.steps import Deadline, Flow, Notify, Sleep
from redcore._spec import operations
from redcore._spec.models import DeviceAuthorization
from redcore._wire.callbacks import check_callback
from redcore.exceptions import AuthenticationError, LoginTimeoutError, NetworkError, RedcoreAPIError, RedcoreError
from redcore.login.application import Login, perform, perform_async
from redcore.login.deadline import checked_deadline
from redcore.options import AsyncLoginOptions, LoginOptions, Retry
from redcore.tokens import TokenSet
from redcore.tokens.token_set import FOREVER_S

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
SLOW_DOWN_S = 5.0  # RFC 8628 section 3.5
SHORTEST_INTERVAL_S = 1.0
Show: TypeAlias = Callable[[DeviceAuthorization], object]


def on_device(
    *,
    prompt: Show,
    on_progress: Show | None = None,
    scope: str | None = None,
    deadline: float | None = None,
    **options: Unpack[LoginOptions],
) -> TokenSet:
    """Log a person in through a browser on another machine, or in another window.

    Args:
        prompt: Called once with what to show to the person: `user_code` and `verification_uri`, or
            `verification_uri_complete` as a link or a QR code.
        on_progress: Called after each poll while the login is pending; `expires_in` is then the remaining seconds.
        scope: Scopes to request, separated by spaces; None requests all that the application may have.
        deadline: Seconds to wait for the person; None waits until the code expires.
        options: The application (`client_id`, `client_secret`) and the addresses, as for `Client`.

    Returns:
        The tokens of the person.

    Raises:
        AuthenticationError: the person denied the login (`access_denied`), the code expired (`expired_token`), or the
            application was rejected (`invalid_client`, `unauthorized_client`).
        LoginTimeoutError: the deadline passed.
        ConfigurationError: no client id, or an invalid URL or number.
        RedcoreAPIError, NetworkError, ResponseError: the server failed.
    """
    return perform(device_login(prompt, on_progress, scope, deadline), options)


async def on_device_async(
    *,
    prompt: Show,
    on_progress: Show | None = None,
    scope: str | None = None,
    deadline: float | None = None,
    **options: Unpack[AsyncLoginOptions],
) -> TokenSet:
    """Like `on_device`, for asyncio and trio; the callbacks may be coroutine functions."""
    return await perform_async(device_login(prompt, on_progress, scope, deadline), options)


def device_login(prompt: Show, on_progress: Show | None, scope: str | None, deadline: float | None) -> Login[TokenSet]:
    """The flow; arguments as for `on_device`.

    Raises:
        ArgumentError: a callback is not a function.
        ConfigurationError: the deadline is invalid.
    """
    check_callback("prompt", prompt)
    check_callback("on_progress", on_progress)
    deadline_s = None if deadline is None else checked_deadline(deadline)

    def login(engine: Engine, options: CallOptions) -> Flow[TokenSet]:
        device = yield from engine.call(operations.auth_device_authorization(scope=scope or UNSET), options)
        time_left = TimeLeft(engine.runtime, device, deadline_s)
        yield Notify(prompt, device)
        grant = operations.auth_token(grant_type=GRANT_TYPE, device_code=device.device_code)
        once = attrs.evolve(options, retry=Retry(max_retries=0))  # the next poll is the retry
        wait_s = max(SHORTEST_INTERVAL_S, float(min(device.interval, FOREVER_S)))
        while True:
            time_left.check(wait_s)
            yield Sleep(wait_s)
            try:
                return (yield from engine.grant(grant, once))
            except RedcoreError as error:
                wait_s = next_wait_s(error, wait_s)
            if on_progress is not None:
                yield Notify(on_progress, attrs.evolve(device, expires_in=time_left.of_code_s()))

    return login


def next_wait_s(error: RedcoreError, wait_s: float) -> float:
    """How long to wait after a poll that returned no tokens (RFC 8628 section 3.5).

    Raises:
        RedcoreError: the given error, if polling again cannot succeed.
    """
    if isinstance(error, AuthenticationError) and error.code == "authorization_pending":
        return wait_s
    if isinstance(error, AuthenticationError) and error.code == "slow_down":
        return wait_s + SLOW_DOWN_S
    if isinstance(error, RedcoreAPIError) and error.is_retry_safe:
        return max(wait_s, error.retry_after or 0.0)
    if isinstance(error, NetworkError):
        return wait_s * 2
    raise error


class TimeLeft:
    """How long to poll: until the code expires or the deadline passes."""

    def __init__(self, runtime: Runtime, device: DeviceAuthorization, deadline_s: float | None) -> None:
        self._code = Deadline.after(runtime, min(device.expires_in, FOREVER_S))
        self._person = Deadline.after(runtime, deadline_s)
        self._deadline_s = deadline_s

    def of_code_s(self) -> int:
        """Seconds until the code expires."""
        return max(0, int(self._code.remaining_s() or 0))

    def check(self, wait_s: float) -> None:
        """Check that a wait ends in time.

        Raises:
            AuthenticationError: the code would expire first.
            LoginTimeoutError: the deadline would pass first.
        """
        if self._deadline_s is not None and not self._person.allows(wait_s):
            raise LoginTimeoutError(self._deadline_s)
        if not self._code.allows(wait_s):
            message = "the code has expired before it was entered; start another login"
            raise AuthenticationError(message, response=Response(400, Headers({})), code="expired_token")
