"""Explains why a session cannot go on, and what to do: log in again, or configure what is missing."""

from __future__ import annotations

from redcore._base.response import Headers, Response
from redcore.exceptions import AuthenticationError, ConfigurationError, RedcoreError
from redcore.tokens.token_set import TokenSet


def ended(
    held: TokenSet | None, refusal: AuthenticationError | None, refresh_token: str | None, request_id: str
) -> RedcoreError:
    """Explain why no tokens can be obtained without a refresh token.

    Args:
        held: The tokens in the cache; None after the session was revoked.
        refusal: The error with which the server rejected the refresh token, or None.
        refresh_token: The one that the client was given, or None.
        request_id: Of the call that needs a token.
    """
    if held is None:  # revoked by this client or another one
        return AuthenticationError(
            "the session has ended, log in again",
            response=Response(401, Headers({})),
            code="INVALID_TOKEN",
            request_id=request_id,
        )
    if refusal is not None:
        return must_log_in(refusal)
    if refresh_token is not None:  # the cache no longer had it
        return AuthenticationError(
            "the session has ended, log in again: another process was refused its refresh token",
            response=Response(400, Headers({})),  # RFC 6749 section 5.2
            code="invalid_grant",
            request_id=request_id,
        )
    return ConfigurationError(
        "the access token has ended and there is no refresh_token and no client_secret to get another",
        request_id=request_id,
    )


def must_log_in(error: AuthenticationError) -> AuthenticationError:
    """Say what the rejection of a refresh token means for the session."""
    return AuthenticationError(
        f"the session has ended, log in again: {error.message}",
        response=error.response,
        code=error.code,
        request_id=error.request_id,
    )
