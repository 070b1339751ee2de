"""Everything the SDK raises.

RedcoreError
├── ConfigurationError
├── ArgumentError (ValueError)
├── NetworkError
│   └── RequestTimeoutError (TimeoutError)
├── ResponseError
│   └── FileChangedError
├── TokenCacheError
├── WaitTimeoutError (TimeoutError)
├── LoginTimeoutError (TimeoutError)
├── ChecksumError
├── ReferenceServerError
└── RedcoreAPIError
    ├── AuthenticationError
    ├── PermissionError
    ├── NotFoundError
    ├── ValidationError
    ├── ConflictError
    │   └── DuplicateError
    ├── RateLimitError
    └── ServerError

The first branch says where the problem lies: the configuration of the client, the call, the network, the token cache,
the server. Errors carry facts as fields; nothing in the SDK parses a message. All errors can be pickled, and none
contains a secret: they keep the response, never the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, Self, TypeAlias

import attrs

from redcore._base.public import public
from redcore._base.response import Response
from redcore._spec.models import ErrorDetail, WorkflowRun

__all__ = [
    "ArgumentError",
    "AuthenticationError",
    "ChecksumError",
    "ConfigurationError",
    "ConflictError",
    "DuplicateError",
    "FileChangedError",
    "LoginTimeoutError",
    "NetworkError",
    "NotFoundError",
    "PermissionError",
    "RateLimitError",
    "RedcoreAPIError",
    "RedcoreError",
    "ReferenceServerError",
    "RequestTimeoutError",
    "ResponseError",
    "ServerError",
    "TokenCacheError",
    "ValidationError",
    "WaitTimeoutError",
]


StopReason: TypeAlias = Literal[
    "not retryable",
    "retries used up",
    "retry policy",
    "Retry-After too long",
    "deadline",
    "retry budget",
    "body cannot be sent again",
    "not idempotent",
]
"""Why a call was not retried."""


@public
@attrs.frozen(kw_only=True)
class FailedAttempt:
    """One failed attempt of a call."""

    number: int
    """Number of the attempt within the call, from 1."""
    error: str
    """Name of the error class, such as `NetworkError`."""
    status_code: int | None = None
    """HTTP status; None if no response was received."""
    request_id: str | None = None
    """The `X-Request-ID` of the response, or the one that was sent."""
    duration_s: float
    """Seconds the attempt took, including any token refresh."""
    wait_s: float | None = None
    """Seconds until the next attempt; None after the last one."""
    stopped: StopReason | None = None
    """Why there was no further attempt; None if there was one."""

    def __str__(self) -> str:
        what = self.error if self.status_code is None else self.status_code
        then = f"waited {self.wait_s:.1f} s" if self.stopped is None else f"stopped: {self.stopped}"
        return f"{what} after {self.duration_s:.1f} s, {then}"

    def __getstate__(self) -> dict[str, Any]:
        return attrs.asdict(self, recurse=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in renamed(state).items():
            object.__setattr__(self, name, value)


@public
class RedcoreError(Exception):
    """Base class of all errors of the SDK.

    Attributes:
        message: A description of the problem, for people.
        request_id: The `X-Request-ID` of the call; None if the error occurred before any call.
        is_retry_safe: Whether the same call may succeed when it is repeated later.
        idempotency_key: The `Idempotency-Key` of the call; None if it had none. A POST whose outcome is unknown can be
            repeated safely with this key: it is executed only once.
        attempts: The failed attempts of the call in order, each with its wait; empty if nothing was sent. After more
            than one attempt, the traceback has a note that lists them.
    """

    is_retry_safe: bool = False
    idempotency_key: str | None = None
    attempts: tuple[FailedAttempt, ...] = ()

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.message} (request {self.request_id})" if self.request_id else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[RedcoreError], args: tuple[Any, ...], state: dict[str, Any]) -> RedcoreError:
    """Unpickle an error without calling its constructor, whose arguments are keyword-only."""
    error = cls.__new__(cls, *args)
    error.args = args  # OSError sets `args` only in its constructor
    error.__dict__.update(renamed(state))
    return error


def renamed(state: dict[str, Any]) -> dict[str, Any]:
    """The fields of a pickle; one of an older version has `status` for `status_code`."""
    return {"status_code" if name == "status" else name: value for name, value in state.items()}


@public
class ConfigurationError(RedcoreError):
    """The configuration of the client is invalid; the message names the argument or variable to change."""


@public
class ArgumentError(RedcoreError, ValueError):
    """An argument is invalid and nothing was sent, or data does not fit a model.

    Attributes:
        details: Every problem of data that does not fit a model, as `{"field", "issue"}`; empty otherwise.
    """

    def __init__(self, message: str, *, details: Sequence[ErrorDetail] = (), request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.details: tuple[ErrorDetail, ...] = tuple(details)


@public
class NetworkError(RedcoreError):
    """No HTTP response was received: name resolution, connection, TLS or timeout failed."""

    is_retry_safe = True


@public
class RequestTimeoutError(NetworkError, TimeoutError):
    """No complete response was received within `timeout`, or the `deadline` of the call has passed."""


@public
class ResponseError(RedcoreError):
    """A response was received that the SDK cannot read.

    Attributes:
        response: The response; None if not even its bytes could be read.
    """

    def __init__(self, message: str, *, response: Response | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.response = response


@public
class FileChangedError(ResponseError):
    """The file was replaced during the download; download it again."""

    is_retry_safe = True


@public
class TokenCacheError(RedcoreError):
    """A token cache cannot be used; the message says what to do. Raised by caches created with `strict=True`."""


@public
class WaitTimeoutError(RedcoreError, TimeoutError):
    """A workflow run did not end within the time to wait; the run itself continues.

    Attributes:
        run: The run as last seen; None if it was never seen.
    """

    is_retry_safe = True

    def __init__(self, message: str, *, run: WorkflowRun | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.run = run


@public
class LoginTimeoutError(RedcoreError, TimeoutError):
    """The person did not log in before the deadline; start another login."""

    def __init__(self, deadline_s: float) -> None:
        super().__init__(f"the login was not completed within {deadline_s:g} s; start another one")


@public
class ChecksumError(RedcoreError):
    """A transferred file differs from the original, after a download or an upload.

    Attributes:
        expected: The SHA-256 of the bytes that were sent, in hexadecimal.
        actual: The SHA-256 of the bytes that arrived.
    """

    def __init__(self, message: str, *, expected: str, actual: str, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.expected = expected
        self.actual = actual


@public
class ReferenceServerError(RedcoreError):
    """The reference server of `redcore.testing` did not start, or is not running; the message says why."""


@public
class RedcoreAPIError(RedcoreError):
    """The server returned an error; base class of all errors with an HTTP status.

    Attributes:
        status_code: HTTP status.
        code: The contract's error code, such as `RESOURCE_NOT_FOUND`, or the OAuth error, such as `invalid_grant`.
        details: Every problem of the request, as `{"field", "issue"}`; empty except for validation errors.
        docs: URL of the documentation of the code; None if the server sent none.
        retry_after: Seconds the server asks to wait; None if it does not say.
        response: The response: status, headers, body.
    """

    status_code: int
    _by_answer: ClassVar[dict[int | str, type[RedcoreAPIError]]] = {}
    """The error class for each status and each error code."""

    def __init__(
        self,
        message: str,
        *,
        response: Response,
        code: str,
        details: Sequence[ErrorDetail] = (),
        docs: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.status_code = response.status_code
        self.response = response
        self.code = code
        self.details: tuple[ErrorDetail, ...] = tuple(details)
        self.docs = docs
        self.retry_after = retry_after
        # contract section 7, Retries. 408: the request was not read, or it met an idle connection that the server was
        # just closing (RFC 9110 section 15.5.9).
        is_transient = self.status_code in {408, 429} or self.status_code >= 500
        self.is_retry_safe: bool = is_transient or code == "REQUEST_IN_PROGRESS"

    @property
    def status(self) -> int:
        """The contract's other name for `status_code` (section 7, Errors)."""
        return self.status_code

    def __init_subclass__(cls, *, answers: Iterable[int | str] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._by_answer.update(dict.fromkeys(answers, cls))

    @classmethod
    def for_status(cls, status: int, code: str = "") -> type[Self | RedcoreAPIError]:
        """Return the class for an HTTP status, or the subclass for an error code if there is one."""
        found = cls._by_answer.get(status, RedcoreAPIError)
        narrower = cls._by_answer.get(code, found)
        return narrower if issubclass(narrower, found) else found

    def __str__(self) -> str:
        problems = "; ".join(f"{detail.field}: {detail.issue}" for detail in self.details)
        summary = f"{self.status_code} {self.code}: {self.message}" + (f" [{problems}]" if problems else "")
        return f"{summary} (request {self.request_id})" if self.request_id else summary


@public
class AuthenticationError(RedcoreAPIError, answers=(401,)):
    """401, or an error of the token endpoint: log in again, or check the key or secret."""


@public
class PermissionError(RedcoreAPIError, answers=(403,)):  # noqa: A001 (the contract's name)
    """403: the credentials lack a required scope."""


@public
class NotFoundError(RedcoreAPIError, answers=(404,)):
    """404: the resource does not exist in this organisation."""


@public
class ValidationError(RedcoreAPIError, answers=(400, 422)):
    """400 or 422: the request is malformed, or violates a business rule; see `details`."""


@public
class ConflictError(RedcoreAPIError, answers=(409,)):
    """409: the request conflicts with the current state; `REQUEST_IN_PROGRESS`: the same request is still running."""


@public
class DuplicateError(ConflictError, answers=("DUPLICATE_RESOURCE",)):
    """409 `DUPLICATE_RESOURCE`: a unique value, such as an e-mail address or a sku, is taken."""


@public
class RateLimitError(RedcoreAPIError, answers=(429,)):
    """429: too many requests; `retry_after` says for how many seconds to wait."""


@public
class ServerError(RedcoreAPIError, answers=range(500, 600)):
    """5xx: the platform failed or is temporarily unavailable; the same call may succeed later."""
