"""The tree of errors."""

from __future__ import annotations

import ast
import builtins
import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import redcore
from redcore import exceptions
from redcore._base.response import Headers, Response
from redcore._spec.models import ERROR_STATUS, ErrorCode, ErrorDetail
from redcore.exceptions import (
    ArgumentError,
    AuthenticationError,
    ChecksumError,
    ConfigurationError,
    ConflictError,
    DuplicateError,
    FileChangedError,
    LoginTimeoutError,
    NetworkError,
    NotFoundError,
    PermissionError,  # noqa: A004 (the contract's name)
    RateLimitError,
    RedcoreAPIError,
    RedcoreError,
    RequestTimeoutError,
    ResponseError,
    ServerError,
    ValidationError,
    WaitTimeoutError,
)

CLASSES = [getattr(exceptions, name) for name in exceptions.__all__]
RESPONSE = Response(422, Headers({"Retry-After": "3"}), b"{}")
DETAILS = (ErrorDetail(field="email", issue="is no address"), ErrorDetail(field="name", issue="is empty"))


def drawn(cls: type[RedcoreError] = RedcoreError, before: str = "") -> Iterator[str]:
    """Return the lines of the tree below a class."""
    children = [child for child in cls.__subclasses__() if child.__name__ in exceptions.__all__]
    for child in children:
        last = child is children[-1]
        others = [base.__name__ for base in child.__bases__ if not issubclass(base, RedcoreError)]
        beside = f" ({', '.join(others)})" if others else ""
        yield f"{before}{'└' if last else '├'}── {child.__name__}{beside}"
        yield from drawn(child, before + ("    " if last else "│   "))


def made(cls: type[RedcoreError]) -> RedcoreError:
    """Make an error of a class, with all the facts that it can carry."""
    if issubclass(cls, RedcoreAPIError):
        return cls("no", response=RESPONSE, code="A", details=DETAILS, docs="d", retry_after=3.0, request_id="req")
    if issubclass(cls, ChecksumError):
        return cls("no", expected="a", actual="b", request_id="req")
    if issubclass(cls, LoginTimeoutError):
        return cls(9.0)
    if issubclass(cls, ResponseError):
        return cls("no", response=RESPONSE, request_id="req")
    return cls("no", request_id="req")


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    """The module docstring draws the classes as they are."""
    tree = "\n".join(["RedcoreError", *drawn()])

    assert tree in (exceptions.__doc__ or "")


CAUGHT_INSIDE = {
    "_base/abandoned.py: Abandoned": "ends a thread that nothing waits for",
    "_call/observers.py: HookFailed": "carries the error of a hook through the call",
    "_call/steps.py: Outlasted": "becomes a RequestTimeoutError in the client",
    "_transport/aiohttp_client.py: NoProxy": "becomes a NetworkError in the transport",
    "_transport/direct_parser.py: BrokenAnswer": "becomes a ResponseError in the transport",
    "_transport/errors.py: AllInUse": "becomes a RequestTimeoutError in the transport",
    "cli/state.py: NotLoggedInError": "ends the command line, an application",
    "testing/_fake/problem.py: OAuthProblem": "becomes an answer of the fake",
    "testing/_fake/problem.py: Problem": "becomes an answer of the fake",
    "testing/_fake/work.py: RunFailedError": "ends a run of the fake as failed",
    "tokens/encryption.py: Unreadable": "counts as no tokens in the caches",
}
"""The exceptions of the package that never reach a caller, and what becomes of them."""


def defined_exceptions() -> set[str]:
    """The exception classes of the package, by file: those of Python's and their children."""
    source = Path(redcore.__file__).parent
    classes = [
        (
            f"{file.relative_to(source)}: {node.name}",
            node.name,
            {ast.unparse(base).rpartition(".")[2] for base in node.bases},
        )
        for file in source.rglob("*.py")
        if file.name != "exceptions.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    known = {*dir(builtins), *exceptions.__all__, *(base for *_, bases in classes for base in bases)}
    known = {name for name in known if name.endswith(("Error", "Exception"))}
    while more := {name for _, name, bases in classes if bases & known} - known:
        known |= more
    return {place for place, name, _ in classes if name in known}


def test_every_exception_of_the_sdk_is_here() -> None:
    """No other module defines an exception that an application may have to catch."""
    assert defined_exceptions() == set(CAUGHT_INSIDE)


def test_every_class_is_public() -> None:
    """Each class of the module is exported by it and by redcore."""
    classes = {name for name, value in vars(exceptions).items() if isinstance(value, type)}

    assert {name for name in classes if issubclass(getattr(exceptions, name), RedcoreError)} == set(exceptions.__all__)
    assert set(exceptions.__all__) <= set(redcore.__all__)


@pytest.mark.parametrize("cls", CLASSES)
def test_errors_pickle(cls: type[RedcoreError]) -> None:
    """An error keeps class, message and every fact when it is pickled or copied."""
    error = made(cls)
    error.add_note("while testing")

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert type(twin) is cls
        assert twin.args == error.args
        assert twin.__dict__ == error.__dict__
        assert str(twin) == str(error)


@pytest.mark.parametrize(
    ("code", "cls"),
    [
        ("VALIDATION_ERROR", ValidationError),
        ("INVALID_TOKEN", AuthenticationError),
        ("TOKEN_EXPIRED", AuthenticationError),
        ("INSUFFICIENT_SCOPE", PermissionError),
        ("RESOURCE_NOT_FOUND", NotFoundError),
        ("METHOD_NOT_ALLOWED", RedcoreAPIError),
        ("DUPLICATE_RESOURCE", DuplicateError),
        ("REQUEST_IN_PROGRESS", ConflictError),
        ("PRECONDITION_FAILED", RedcoreAPIError),
        ("PAYLOAD_TOO_LARGE", RedcoreAPIError),
        ("UNSUPPORTED_MEDIA_TYPE", RedcoreAPIError),
        ("RANGE_NOT_SATISFIABLE", RedcoreAPIError),
        ("BUSINESS_RULE_VIOLATION", ValidationError),
        ("IDEMPOTENCY_KEY_REUSED", ValidationError),
        ("RATE_LIMIT_EXCEEDED", RateLimitError),
        ("INTERNAL_ERROR", ServerError),
        ("SERVICE_UNAVAILABLE", ServerError),
    ],
)
def test_each_code_has_its_class(code: str, cls: type[RedcoreAPIError]) -> None:
    """A code of the contract is raised as the class that the contract names."""
    assert RedcoreAPIError.for_status(ERROR_STATUS[code], code) is cls


def test_the_catalogue_is_complete() -> None:
    """Each code of the enum has a status, and no other code has one."""
    assert set(ERROR_STATUS) == {code.value for code in ErrorCode}


@pytest.mark.parametrize("status", [302, 402, 418, 600])
def test_other_statuses_are_the_base(status: int) -> None:
    """A status without a class of its own is a RedcoreAPIError."""
    assert RedcoreAPIError.for_status(status) is RedcoreAPIError


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 599])
def test_every_5xx_is_a_server_error(status: int) -> None:
    """A status of the 5xx class is a ServerError, also one that the contract does not name."""
    assert RedcoreAPIError.for_status(status, "ANY") is ServerError


@pytest.mark.parametrize("status", [400, 404, 500])
def test_the_status_decides_before_the_code(status: int) -> None:
    """A code under another status than the contract's does not change the class of the status."""
    assert RedcoreAPIError.for_status(status, "DUPLICATE_RESOURCE") is RedcoreAPIError.for_status(status)


@pytest.mark.parametrize("cls", [RequestTimeoutError, WaitTimeoutError, LoginTimeoutError])
def test_time_outs_are_timeout_errors(cls: type[Exception]) -> None:
    """Code that catches TimeoutError catches all of them."""
    assert issubclass(cls, TimeoutError)
    assert issubclass(cls, RedcoreError)


@pytest.mark.parametrize(
    ("status", "safe"),
    [(302, False), (400, False), (401, False), (404, False), (408, True), (409, False), (429, True), (500, True)],
)
def test_the_status_says_whether_to_retry(status: int, safe: bool) -> None:  # noqa: FBT001
    """408, 429 and 5xx may succeed later, nothing else."""
    assert RedcoreAPIError("no", response=Response(status, Headers({})), code="A").is_retry_safe is safe


def test_a_409_request_in_progress_may_succeed_later() -> None:
    """The one 409 that is worth a retry is that of a request which is still running."""
    answer = Response(409, Headers({}))

    assert ConflictError("no", response=answer, code="REQUEST_IN_PROGRESS").is_retry_safe
    assert not DuplicateError("no", response=answer, code="DUPLICATE_RESOURCE").is_retry_safe


def test_only_the_network_may_recover_among_the_others() -> None:
    """Of the errors without a status, those of the network and of a changed file are worth a retry."""
    classes = (ConfigurationError, ArgumentError, NetworkError, RequestTimeoutError, ResponseError, FileChangedError)

    assert {cls for cls in classes if cls("no").is_retry_safe} == {NetworkError, RequestTimeoutError, FileChangedError}


def test_an_argument_error_is_a_value_error() -> None:
    """Code that catches ValueError catches a bad argument."""
    with pytest.raises(ValueError, match="no"):
        raise ArgumentError("no")


def test_the_text_of_an_error_without_an_answer() -> None:
    """The text is the message and, once there was a call, its request id."""
    assert str(NetworkError("no answer", request_id="req_9")) == "no answer (request req_9)"
    assert str(ConfigurationError("no credentials")) == "no credentials"


def test_the_text_of_an_api_error() -> None:
    """The text is status, code, message, problems and request id."""
    error = ValidationError("Check the fields", response=RESPONSE, code="VALIDATION_ERROR", details=DETAILS)

    assert str(error) == "422 VALIDATION_ERROR: Check the fields [email: is no address; name: is empty]"
    assert (error.status_code, error.status) == (422, 422)

    bare = NotFoundError("User usr_1 does not exist", response=Response(404, Headers({})), code="X", request_id="req_9")
    assert str(bare) == "404 X: User usr_1 does not exist (request req_9)"


def test_details_answer_as_mappings() -> None:
    """A detail is `{"field", "issue"}`, as the contract shows it."""
    error = ValidationError("no", response=RESPONSE, code="VALIDATION_ERROR", details=DETAILS)

    assert dict(error.details[0]) == {"field": "email", "issue": "is no address"}
