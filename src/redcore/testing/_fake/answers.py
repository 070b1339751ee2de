"""Scripted answers and errors, as a test says them, made into what the wire would bring."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

import msgspec

from redcore import (
    AuthenticationError,
    ConflictError,
    DuplicateError,
    NetworkError,
    NotFoundError,
    PermissionError,  # noqa: A004 (the contract's name)
    RateLimitError,
    RequestTimeoutError,
    ResponseError,
    ServerError,
    ValidationError,
)
from redcore._base.values import Model
from redcore.exceptions import RedcoreError
from redcore.testing._fake.call import Answer
from redcore.testing._fake.contract import Operation, contract
from redcore.testing._fake.platform import refusal, success
from redcore.testing._fake.problem import Problem
from redcore.testing.lab import Fault

CODES: Mapping[type[RedcoreError], str] = {
    AuthenticationError: "INVALID_TOKEN",
    PermissionError: "INSUFFICIENT_SCOPE",
    NotFoundError: "RESOURCE_NOT_FOUND",
    ValidationError: "VALIDATION_ERROR",
    ConflictError: "REQUEST_IN_PROGRESS",
    DuplicateError: "DUPLICATE_RESOURCE",
    RateLimitError: "RATE_LIMIT_EXCEEDED",
    ServerError: "SERVICE_UNAVAILABLE",
}
"""The code that the SDK turns into each class."""
REQUEST_ID = "00000000-0000-4000-8000-000000000000"


def answer_of(operation: Operation, value: Any) -> Answer:
    """A success with a value, checked against the spec.

    Raises:
        ValueError: the spec does not allow it.
    """
    if operation.answer is None:
        if not isinstance(value, bytes):
            return Answer(operation.success, {})
        etag = f'"{sha256(value).hexdigest()}"'  # by which a client checks that it has the whole
        return Answer(operation.success, {"ETag": etag}, value)
    data: Any = plain(value)
    page: dict[str, Any] = (
        {"total": len(cast("list[object]", data)), "limit": 20, "offset": 0, "next_cursor": None}
        if isinstance(data, list)
        else {}
    )
    answer = success(operation, data, REQUEST_ID, page=page)
    if problems := operation.answer_problems(msgspec.json.decode(answer.content)):
        said = "; ".join(f"{field} {issue}" for field, issue in problems)
        raise ValueError(f"the spec does not allow this answer of {operation.id}: {said}")
    return answer


def plain(value: Any) -> Any:
    """A value with the names and values of the wire."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [plain(each) for each in cast("list[Any]", value)]
    return value


def error_of(
    error: type[RedcoreError] | RedcoreError | str, *, retry_after: int | None, details: Mapping[str, str]
) -> Answer | RedcoreError:
    """A refusal that the SDK turns into an error, or what its connection raises.

    Raises:
        ValueError: no answer has this error.
    """
    if isinstance(error, RedcoreError):
        return error
    if isinstance(error, type) and issubclass(error, NetworkError):
        late = issubclass(error, RequestTimeoutError)
        return error(
            "no complete answer in time (a script of the test)" if late else "no answer (a script of the test)"
        )
    if error is ResponseError:
        return Answer(200, {"Content-Type": "text/html"}, b"<html>a page from something in between</html>")
    code = error if isinstance(error, str) else CODES.get(error, "")
    if code not in contract().statuses:
        raise ValueError(f"{error!r} is neither an error class of the platform nor one of its error codes")
    fields = dict(details) or ({"body": "is not valid"} if code == "VALIDATION_ERROR" else {})
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return refusal(Problem(code, "A script of the test says so.", details=list(fields.items()), headers=headers))


def faulty(fault: Fault) -> Answer:
    """The answer of a fault that has a status."""
    status = fault.status or 200
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if isinstance(fault.body, str):
        return Answer(status, {**headers, "Content-Type": "text/html"}, fault.body.encode())
    headers["Content-Type"] = "application/json"
    if fault.body is not None:
        return Answer(status, headers, msgspec.json.encode(fault.body))
    if status < 400:
        return Answer(status, headers)
    codes = contract().statuses.items()
    code = next((code for code, its_status in codes if its_status == status), "INTERNAL_ERROR")
    envelope = Problem(code, f"The lab was asked for a {status}.").envelope()
    return Answer(status, headers, msgspec.json.encode(envelope))
