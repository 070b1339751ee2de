"""`client.auth`: the generated OAuth endpoints, and logging out of the client's session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Unpack

from redcore._resources import generated
from redcore._resources.calls import AsyncCall, Call
from redcore._resources.resource import awaited
from redcore.options import RequestOptions


class Auth(generated.Auth):
    __doc__ = generated.Auth.__doc__
    __slots__ = ("_log_out",)

    def __init__(self, execute: Call, log_out: Callable[[RequestOptions], None]) -> None:
        super().__init__(execute)
        self._log_out = log_out

    def log_out(self, **options: Unpack[RequestOptions]) -> None:
        """End the session of this client (RFC 7009).

        Revokes its tokens and removes them from the client and its token cache. A client that a person logged in with
        cannot make calls afterwards; a client with client credentials begins a new session with its next call.

        Args:
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            ConfigurationError: this client has an API key, or no `client_id`.
            AuthenticationError: 401, the client is unknown or its secret is wrong (`invalid_client`).
            RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
            ServerError: 500 or 503; the client keeps its tokens, so that you can try again.
            NetworkError: no response was received; the client keeps its tokens, as above.

        Example:
            client.auth.log_out()
        """
        self._log_out(options)


class AsyncAuth(generated.AsyncAuth):
    __doc__ = generated.AsyncAuth.__doc__
    __slots__ = ("_log_out",)

    def __init__(self, execute: AsyncCall, log_out: Callable[[RequestOptions], Awaitable[None]]) -> None:
        super().__init__(execute)
        self._log_out = log_out

    async def log_out(self, **options: Unpack[RequestOptions]) -> None:
        await self._log_out(options)

    log_out.__doc__ = awaited(Auth.log_out.__doc__)
