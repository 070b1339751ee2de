"""`client.auth`: the generated OAuth endpoints, and the end of the client's own session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Unpack

from redcore._base.values import UNSET, Unset
from redcore._resources import generated
from redcore._resources.calls import AsyncCall, Call
from redcore.options import RequestOptions


class Auth(generated.Auth):
    """`client.auth`. OAuth 2.0 endpoints for programs."""

    __slots__ = ("_log_out",)

    def __init__(self, execute: Call, log_out: Callable[[RequestOptions], None]) -> None:
        super().__init__(execute)
        self._log_out = log_out

    def revoke(
        self, *, token: str | Unset = UNSET, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> None:
        """Log out: end the session of this client, or revoke any one token.

        RFC 7009. Without a token the client's own are revoked and forgotten, here and in the token cache that they
        came from; a client that was logged in by a person cannot make calls afterwards, one with client credentials
        begins a new session with its next call. Succeeds for unknown tokens too. Revoking a refresh token kills the
        access tokens derived from it.

        Args:
            token: An access or refresh token; left out, those of this client.
            token_type_hint: `access_token` or `refresh_token`, if known.
            options: Options of this call alone, as `with_options` takes them.

        Raises:
            ArgumentError: an argument cannot be sent.
            ConfigurationError: this client has an API key, or no `client_id`.
            AuthenticationError: 400, The grant or the request is refused (RFC 6749 section 5.2).
            AuthenticationError: 401, The client is unknown or its secret is wrong (`invalid_client`).
            RateLimitError: 429, `RATE_LIMIT_EXCEEDED`: too many requests; wait `Retry-After` seconds.
            RedcoreAPIError: 500 or 503; the tokens of this client are kept, so that it can be tried again.
            NetworkError: no answer came; likewise.
        """
        if token is UNSET:
            return self._log_out(options)
        return super().revoke(token=token, token_type_hint=token_type_hint, **options)


class AsyncAuth(generated.AsyncAuth):
    """`client.auth`. OAuth 2.0 endpoints for programs."""

    __slots__ = ("_log_out",)

    def __init__(self, execute: AsyncCall, log_out: Callable[[RequestOptions], Awaitable[None]]) -> None:
        super().__init__(execute)
        self._log_out = log_out

    async def revoke(
        self, *, token: str | Unset = UNSET, token_type_hint: str | Unset = UNSET, **options: Unpack[RequestOptions]
    ) -> None:
        if token is UNSET:
            return await self._log_out(options)
        return await super().revoke(token=token, token_type_hint=token_type_hint, **options)

    revoke.__doc__ = Auth.revoke.__doc__
