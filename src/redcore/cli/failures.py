"""Errors as words for people and codes for scripts (contract section 9): what went wrong, the request, what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from redcore.cli import exit_codes
from redcore.exceptions import (
    ArgumentError,
    AuthenticationError,
    ConfigurationError,
    NetworkError,
    NotFoundError,
    PermissionError,  # noqa: A004 (the contract's name)
    RateLimitError,
    RedcoreAPIError,
    RedcoreError,
    ServerError,
    TokenCacheError,
)

if TYPE_CHECKING:
    from redcore.cli.state import State


def explain(error: Exception, state: State) -> int:
    """Print an error of the SDK or of the operating system, and what to do about it.

    Returns:
        The exit code.

    Raises:
        Exception: the one given, if it is neither: a defect, whose traceback is wanted.
    """
    if isinstance(error, UnicodeEncodeError):
        state.terminal.error("an argument is not valid text in UTF-8")
        return exit_codes.USAGE
    if isinstance(error, OSError) and not isinstance(error, RedcoreError):  # a timeout of the SDK is both
        state.terminal.error(f"{error.filename or 'stdout'}: {error.strerror or error}")
        return exit_codes.FAILED
    if not isinstance(error, RedcoreError):
        raise error
    state.terminal.error(sentence(error))
    if advice := hint(error, state):
        state.terminal.note(f"  {advice}")
    if error.idempotency_key is not None and error.is_retry_safe:
        state.terminal.note(f"  Repeat it safely with --idempotency-key {error.idempotency_key}")
    return code_of(error)


def sentence(error: RedcoreError) -> str:
    """Return what went wrong, and by which request it can be found in the platform's logs."""
    words = error.message
    if isinstance(error, RedcoreAPIError):
        words = f"{words} ({error.status_code} {error.code})"
        words += "".join(f"\n  {detail.field}: {detail.issue}" for detail in error.details)
    return f"{words}\n  request {error.request_id}" if error.request_id else words


def hint(error: RedcoreError, state: State) -> str | None:
    """Return what to do; None where the message says it."""
    match error:
        case AuthenticationError():
            return way_back(error, state)
        case PermissionError() if scope := scope_of(error) or state.scope_needed:
            return (
                f"It needs the scope {scope}: log in with --scope {scope}, or have an administrator create a key "
                f"that has it: redcore api-keys create --name NAME --scopes {scope}"
            )
        case RateLimitError(retry_after=float() | int() as seconds):
            return f"Try again in {seconds:g} s."
        case TokenCacheError() if "keyring" in error.message:
            return "Or log in again, to keep the login elsewhere: redcore auth login; or set REDCORE_API_KEY."
        case ServerError() | NetworkError():
            return "Try again later; `redcore doctor` finds out what is wrong."
        case _:
            return None


def way_back(error: AuthenticationError, state: State) -> str:
    """Return how to be authenticated again."""
    origin = state.credential_origin
    if origin is None:
        return f"Log in again: redcore auth login --profile {state.profile}"
    return f"Create another key, and set {origin} to it." if error.code == "TOKEN_EXPIRED" else f"Check {origin}."


def scope_of(error: PermissionError) -> str:
    """Return the scope that the platform says is missing (RFC 6750 section 3); empty if it does not."""
    found = re.search(r'scope="([^"]*)"', error.response.headers.get("WWW-Authenticate", ""))
    return found[1] if found else ""


def code_of(error: RedcoreError) -> int:
    """Return the exit code of an error."""
    match error:
        case NotFoundError():
            return exit_codes.NOT_FOUND
        case AuthenticationError() | PermissionError():
            return exit_codes.NOT_ALLOWED
        case RateLimitError() | ServerError() | NetworkError():
            return exit_codes.TRY_LATER
        case ArgumentError() if isinstance(error.__cause__, OSError):  # a full disk is not a usage error
            return exit_codes.FAILED
        case ConfigurationError() | ArgumentError():
            return exit_codes.USAGE
        case _:
            return exit_codes.TRY_LATER if error.is_retry_safe else exit_codes.FAILED
