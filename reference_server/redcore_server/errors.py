# ruff: noqa: N818 - the names say what happened; an "Error" suffix would add nothing
"""The errors that the platform returns; `redcore_server.http.render_error` turns them into HTTP.

    ApiError
    ├── ValidationFailed       400 VALIDATION_ERROR
    ├── InvalidToken           401 INVALID_TOKEN
    │   ├── TokenMissing       401 INVALID_TOKEN
    │   └── TokenExpired       401 TOKEN_EXPIRED
    ├── InsufficientScope      403 INSUFFICIENT_SCOPE
    ├── NotFound               404 RESOURCE_NOT_FOUND
    ├── MethodNotAllowed       405 METHOD_NOT_ALLOWED
    ├── RequestTimeout         408 REQUEST_TIMEOUT
    ├── Duplicate              409 DUPLICATE_RESOURCE
    ├── RequestInProgress      409 REQUEST_IN_PROGRESS
    ├── PreconditionFailed     412 PRECONDITION_FAILED
    ├── PayloadTooLarge        413 PAYLOAD_TOO_LARGE
    ├── UnsupportedMediaType   415 UNSUPPORTED_MEDIA_TYPE
    ├── RangeNotSatisfiable    416 RANGE_NOT_SATISFIABLE
    ├── RuleViolation          422 BUSINESS_RULE_VIOLATION
    ├── IdempotencyKeyReused   422 IDEMPOTENCY_KEY_REUSED
    ├── RateLimited            429 RATE_LIMIT_EXCEEDED
    ├── HeadTooLarge           431 REQUEST_HEADER_FIELDS_TOO_LARGE
    ├── InternalError          500 INTERNAL_ERROR
    ├── NotImplementedHere     501 NOT_IMPLEMENTED
    └── ServiceUnavailable     503 SERVICE_UNAVAILABLE

The status of a code is the contract's (`redcore_server.contract.document`). The OAuth endpoints have their own errors
(RFC 6749 section 5.2) in `redcore_server.auth`. Messages are for the caller: they contain no secret and no detail about
an internal error, which is only logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Literal

import attrs

_MAX_NAME: Final = 100  # characters of a name that a message quotes

RETRY_AFTER_S: Final = 2  # an embedded store restarts in about one second, see `redcore_server.embedded`
REALM: Final = "BlueRound"


def challenge(scheme: Literal["Basic", "Bearer"], **parameters: str) -> str:
    """Return a `WWW-Authenticate` challenge (RFC 9110 section 11.6.1).

    Its realm comes first, as `Basic` requires (RFC 7617 section 2) and old clients expect.

    Args:
        scheme: Authentication scheme.
        parameters: Parameters other than the realm; their values contain no quotes.
    """
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in {"realm": REALM, **parameters}.items())


@attrs.frozen
class Detail:
    """One problem of a request."""

    field: str
    """A dotted path into the body, such as `items.0.sku`, or the name of a parameter."""
    issue: str

    def inside(self, field: str) -> Detail:
        """Return the same problem with its field path prefixed.

        Args:
            field: Path of the enclosing value.
        """
        return Detail(f"{field}.{self.field}".rstrip("."), self.issue)


class ApiError(Exception):
    """Base of all errors returned to a caller; the subclass says which."""

    code: ClassVar[str]
    message: str = "The request was refused."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Iterable[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the error.

        Args:
            message: Human-readable sentence; None uses the default of the class.
            details: All problems of the request, for `ValidationFailed` only.
            headers: Response headers, added to those every response has.
        """
        self.message = message or self.message
        self.details = tuple(details)
        self.headers = dict(headers or {})
        super().__init__(self.message)


class ValidationFailed(ApiError):
    """Malformed JSON, a bad query value or a bad field."""

    code = "VALIDATION_ERROR"
    message = "The request is not valid."


class InvalidToken(ApiError):
    """The bearer token is malformed, unknown or revoked."""

    code = "INVALID_TOKEN"
    message = "The access token is malformed, unknown or revoked."

    def __init__(self, message: str | None = None) -> None:
        """Describe the error; `WWW-Authenticate` repeats the message."""
        super().__init__(message)
        # RFC 6750 section 3.1
        self.headers["WWW-Authenticate"] = challenge("Bearer", error="invalid_token", error_description=self.message)


class TokenMissing(InvalidToken):
    """The request has no bearer token."""

    message = "This call needs an access token or an API key, sent as Authorization: Bearer."

    def __init__(self) -> None:
        """Describe the error."""
        super().__init__()
        # RFC 6750 section 3.1: no error code for a request without authentication information.
        self.headers["WWW-Authenticate"] = challenge("Bearer")


class TokenExpired(InvalidToken):
    """The access token has expired."""

    code = "TOKEN_EXPIRED"
    message = "The access token has expired."


class InsufficientScope(ApiError):
    """The credential lacks the scope of the operation."""

    code = "INSUFFICIENT_SCOPE"

    def __init__(self, scope: str) -> None:
        """Describe the error with the required scope."""
        needed = challenge("Bearer", error="insufficient_scope", scope=scope)  # RFC 6750 section 3.1
        super().__init__(f"This call needs the scope {scope}.", headers={"WWW-Authenticate": needed})


class NotFound(ApiError):
    """The path does not exist, or the resource does not exist in the caller's organisation."""

    code = "RESOURCE_NOT_FOUND"
    message = "There is nothing at this address."

    @classmethod
    def named(cls, kind: str, name: str) -> NotFound:
        """Return the error for a resource, with the start of its name: the client's, which may be as long as a head.

        Args:
            kind: What it is.
            name: Its id or name in the request.
        """
        shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}…"
        return cls(f"{kind} {shown} does not exist.")


class MethodNotAllowed(ApiError):
    """The path exists, but not with this method."""

    code = "METHOD_NOT_ALLOWED"

    def __init__(self, allowed: Iterable[str]) -> None:
        """Describe the error with the allowed methods."""
        allow = ", ".join(sorted(allowed))
        super().__init__(f"This address answers {allow} only.", headers={"Allow": allow})


class RequestTimeout(ApiError):
    """The request arrives too slowly."""

    code = "REQUEST_TIMEOUT"
    message = "The request did not arrive in time."

    def __init__(self) -> None:
        """Describe the error; the rest is not read, so the connection is closed (RFC 9110 section 15.5.9)."""
        super().__init__(headers={"Connection": "close"})


class Duplicate(ApiError):
    """A unique value is already in use."""

    code = "DUPLICATE_RESOURCE"


class RequestInProgress(ApiError):
    """A request with the same `Idempotency-Key` is still running."""

    code = "REQUEST_IN_PROGRESS"
    message = "A request with this Idempotency-Key is still running."

    def __init__(self) -> None:
        """Describe the error; the client may ask again soon."""
        super().__init__(headers={"Retry-After": "1"})


class PayloadTooLarge(ApiError):
    """The body is larger than the endpoint accepts."""

    code = "PAYLOAD_TOO_LARGE"

    def __init__(self, max_body_bytes: int) -> None:
        """Describe the error with the limit."""
        super().__init__(f"The body is larger than {max_body_bytes} bytes.")


class UnsupportedMediaType(ApiError):
    """The endpoint does not accept the media type of the body."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    message = "Send the body as application/json."


class PreconditionFailed(ApiError):
    """The object is not the one that `If-Match` names (RFC 9110 section 13.1.1)."""

    code = "PRECONDITION_FAILED"
    message = "The file is not the one that If-Match names."


class RangeNotSatisfiable(ApiError):
    """The file has none of the requested bytes."""

    code = "RANGE_NOT_SATISFIABLE"

    def __init__(self, size: int, headers: Mapping[str, str]) -> None:
        """Describe the error with the file size, also in the headers (RFC 9110 section 15.5.17)."""
        super().__init__(f"The file has {size} bytes, and none of them is in this range.", headers=headers)


class RuleViolation(ApiError):
    """The request is well-formed, but its effect is not allowed."""

    code = "BUSINESS_RULE_VIOLATION"


class IdempotencyKeyReused(ApiError):
    """The `Idempotency-Key` was used with a different request before."""

    code = "IDEMPOTENCY_KEY_REUSED"
    message = "This Idempotency-Key was used with another request."


class RateLimited(ApiError):
    """Too many requests."""

    code = "RATE_LIMIT_EXCEEDED"

    def __init__(self, retry_after_s: int) -> None:
        """Describe the error with the seconds to wait."""
        unit = "second" if retry_after_s == 1 else "seconds"
        super().__init__(
            f"Too many requests; try again in {retry_after_s} {unit}.",
            headers={"Retry-After": str(retry_after_s)},
        )


class HeadTooLarge(ApiError):
    """The head of the request, its trailers or its chunk extensions are more than the server reads."""

    code = "REQUEST_HEADER_FIELDS_TOO_LARGE"

    def __init__(self, excess: str) -> None:
        """Describe the error with the limit, such as "more than 100"."""
        super().__init__(f"The header fields of the request are {excess}.")


class InternalError(ApiError):
    """An internal error of the server."""

    code = "INTERNAL_ERROR"
    message = "Something went wrong on our side."


class NotImplementedHere(ApiError):
    """The request uses an HTTP feature that this server does not support."""

    code = "NOT_IMPLEMENTED"


class ServiceUnavailable(ApiError):
    """A store or service does not answer, cannot be written to, or takes too long."""

    code = "SERVICE_UNAVAILABLE"
    message = "The platform is temporarily unavailable."

    def __init__(self) -> None:
        """Describe the error, with the time after which to retry."""
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)})
