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

The first branch says who must act: the one who configures the client, the caller of the method, the network, the one
who runs the token cache, the server. Errors carry facts as fields; nothing in the SDK reads a message. All can be
pickled, none holds a secret: they keep the answer, never the request.
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
"""Why a call was not tried again."""


@public
@attrs.frozen(kw_only=True)
class FailedAttempt:
    """One try of a call that failed."""

    number: int
    """Counts the tries of the call, from 1."""
    error: str
    """The name of the class that the failure is raised as, such as `NetworkError`."""
    status: int | None = None
    """HTTP status; None if no answer came."""
    request_id: str | None = None
    """The `X-Request-ID` of the answer, or the one that was sent."""
    duration_s: float
    """Seconds it took, with the token refresh that it needed."""
    wait_s: float | None = None
    """Seconds until the next try; None if there was none."""
    stopped: StopReason | None = None
    """Why there was no further try; None if there was one."""

    @property
    def status_code(self) -> int | None:
        """HTTP status, under the name that HTTP libraries use."""
        return self.status

    def __str__(self) -> str:
        what = self.error if self.status is None else self.status
        then = f"waited {self.wait_s:.1f} s" if self.stopped is None else f"stopped: {self.stopped}"
        return f"{what} after {self.duration_s:.1f} s, {then}"


@public
class RedcoreError(Exception):
    """The root of all errors of the SDK.

    Attributes:
        message: What went wrong, for people.
        request_id: The `X-Request-ID` of the call; None if the error came before any call.
        is_retry_safe: Whether the same call may succeed when it is made again later.
        idempotency_key: The `Idempotency-Key` that the call had; None if it needs none. A POST that may have been done
            all the same is done once if it is repeated with this key.
        attempts: The tries of the call, the last one last, each with its wait; empty if nothing was tried. After more
            than one try the traceback has a note of them.
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
    error.args = args  # which an OSError takes in its constructor only
    error.__dict__.update(state)
    return error


@public
class ConfigurationError(RedcoreError):
    """The client cannot work as it was set up; the message names the argument or variable to change."""


@public
class ArgumentError(RedcoreError, ValueError):
    """An argument of a method cannot be sent, and nothing was; or data is no model.

    Attributes:
        details: Every problem of data that was to become a model, as `{"field", "issue"}`; empty otherwise.
    """

    def __init__(self, message: str, *, details: Sequence[ErrorDetail] = (), request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.details: tuple[ErrorDetail, ...] = tuple(details)


@public
class NetworkError(RedcoreError):
    """No HTTP answer came: name resolution, connection, TLS, time-out."""

    is_retry_safe = True


@public
class RequestTimeoutError(NetworkError, TimeoutError):
    """No complete answer came within `timeout`, or the `deadline` of the call has passed."""


@public
class ResponseError(RedcoreError):
    """An answer came that the SDK cannot read.

    Attributes:
        response: The answer; None if not even its bytes could be had.
    """

    def __init__(self, message: str, *, response: Response | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.response = response


@public
class FileChangedError(ResponseError):
    """The file was replaced while it was downloaded; download it again."""

    is_retry_safe = True


@public
class TokenCacheError(RedcoreError):
    """A token cache cannot be used; the message says what to do. Raised by caches made with `strict=True`."""


@public
class WaitTimeoutError(RedcoreError, TimeoutError):
    """The time to wait for a workflow run is up; the run itself goes on.

    Attributes:
        run: As it was seen last; None if it was never seen.
    """

    is_retry_safe = True

    def __init__(self, message: str, *, run: WorkflowRun | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.run = run


@public
class LoginTimeoutError(RedcoreError, TimeoutError):
    """The person did not log in before the deadline; start another login."""

    def __init__(self, deadline_s: float) -> None:
        super().__init__(f"nobody logged in within {deadline_s:g} s; start another login")


@public
class ChecksumError(RedcoreError):
    """A file arrived, here or on the platform, that is not the one that was sent.

    Attributes:
        expected: The SHA-256 of what was sent, in hexadecimal.
        actual: That of what arrived.
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
    """The server refused or failed; the base of all errors that have an HTTP status.

    Attributes:
        status: HTTP status; `status_code` is the same.
        code: The contract's error code, such as `RESOURCE_NOT_FOUND`, or the OAuth error, such as `invalid_grant`.
        details: Every problem of the request, as `{"field", "issue"}`; empty but for validation errors.
        docs: Where the code is explained; None if the server gave none.
        retry_after: Seconds the server asks to wait; None if it does not say.
        response: The answer: status, headers, body.
    """

    status: int
    _by_answer: ClassVar[dict[int | str, type[RedcoreAPIError]]] = {}
    """The classes by the statuses and the codes that they stand for."""

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
        self.status = response.status_code
        self.response = response
        self.code = code
        self.details: tuple[ErrorDetail, ...] = tuple(details)
        self.docs = docs
        self.retry_after = retry_after
        # contract section 7, Retries
        self.is_retry_safe: bool = self.status == 429 or self.status >= 500 or code == "REQUEST_IN_PROGRESS"

    @property
    def status_code(self) -> int:
        """HTTP status, under the name that HTTP libraries use."""
        return self.status

    def __init_subclass__(cls, *, answers: Iterable[int | str] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._by_answer.update(dict.fromkeys(answers, cls))

    @classmethod
    def for_status(cls, status: int, code: str = "") -> type[Self | RedcoreAPIError]:
        """The class for an HTTP status, or for an error code if that has a class of its own below it."""
        found = cls._by_answer.get(status, RedcoreAPIError)
        narrower = cls._by_answer.get(code, found)
        return narrower if issubclass(narrower, found) else found

    def __str__(self) -> str:
        problems = "; ".join(f"{detail.field}: {detail.issue}" for detail in self.details)
        told = f"{self.status} {self.code}: {self.message}" + (f" [{problems}]" if problems else "")
        return f"{told} (request {self.request_id})" if self.request_id else told


@public
class AuthenticationError(RedcoreAPIError, answers=(401,)):
    """401, or a refusal of the token endpoint: log in again, or check key or secret."""


@public
class PermissionError(RedcoreAPIError, answers=(403,)):  # noqa: A001 (the contract's name)
    """403: the credentials lack the scope."""


@public
class NotFoundError(RedcoreAPIError, answers=(404,)):
    """404: no such resource in this organisation."""


@public
class ValidationError(RedcoreAPIError, answers=(400, 422)):
    """400 or 422: the request is malformed, or not allowed by a business rule; see `details`."""


@public
class ConflictError(RedcoreAPIError, answers=(409,)):
    """409: the request does not fit what is there; `REQUEST_IN_PROGRESS`: the same request is still running."""


@public
class DuplicateError(ConflictError, answers=("DUPLICATE_RESOURCE",)):
    """409 `DUPLICATE_RESOURCE`: a unique value, such as an e-mail address or a sku, is taken."""


@public
class RateLimitError(RedcoreAPIError, answers=(429,)):
    """429: too many requests; `retry_after` says for how many seconds to wait."""


@public
class ServerError(RedcoreAPIError, answers=range(500, 600)):
    """5xx: the platform failed or is away for the moment; the same call may succeed later."""
