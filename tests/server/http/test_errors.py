"""The error envelope, and the catalogue of codes."""

from __future__ import annotations

import orjson
import psycopg
import pytest
import redis.exceptions
from psycopg_pool import PoolTimeout
from starlette.requests import ClientDisconnect
from structlog.testing import capture_logs

from redcore_server import errors
from redcore_server.contract.document import statuses
from redcore_server.errors import ApiError
from redcore_server.http import render_error

REQUEST_ID = "0b7f3c1e-5d2a-4f6b-8c9d-0e1f2a3b4c5d"


def _classes(parent: type[ApiError] = ApiError) -> list[type[ApiError]]:
    own = (child for child in parent.__subclasses__() if child.__module__ == errors.__name__)
    return [found for child in own for found in (child, *_classes(child))]


def test_each_code_has_a_class_and_each_class_a_code() -> None:
    """Every code can be raised, and every class has a code of the catalogue."""
    assert {found.code for found in _classes()} == set(statuses())


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    """The drawing names each class with its status and code."""
    drawn = {tuple(line.split()[-3:]) for line in (errors.__doc__ or "").splitlines() if "── " in line}

    assert drawn == {(found.__name__, str(statuses()[found.code]), found.code) for found in _classes()}


def test_an_error_renders_as_the_envelope() -> None:
    """Code, message, permanent link and details, as the contract's section 3 shows them."""
    error = errors.ValidationFailed(details=[errors.Detail("email", "is required")])

    response = render_error.render(error, REQUEST_ID)

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert orjson.loads(response.body) == {
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "The request is not valid.",
            "docs": "https://docs.blueround.com/api/errors#VALIDATION_ERROR",
            "details": [{"field": "email", "issue": "is required"}],
        }
    }


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (
            errors.InvalidToken(),
            "WWW-Authenticate",
            f'Bearer realm="BlueRound", error="invalid_token", error_description="{errors.InvalidToken.message}"',
        ),
        (
            errors.TokenExpired(),
            "WWW-Authenticate",
            'Bearer realm="BlueRound", error="invalid_token", error_description="The access token has expired."',
        ),
        (errors.TokenMissing(), "WWW-Authenticate", 'Bearer realm="BlueRound"'),
        (
            errors.InsufficientScope("users:write"),
            "WWW-Authenticate",
            'Bearer realm="BlueRound", error="insufficient_scope", scope="users:write"',
        ),
        (errors.MethodNotAllowed(["POST", "GET"]), "Allow", "GET, POST"),
        (errors.RateLimited(12), "Retry-After", "12"),
    ],
)
def test_some_errors_carry_a_header(error: ApiError, header: str, value: str) -> None:
    """Authentication challenge, allowed methods and time to wait are headers too."""
    assert render_error.render(error, REQUEST_ID).headers[header] == value


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("connection to server at 10.0.0.1 failed, password=hunter2"),
        psycopg.InterfaceError("the connection is closed"),
        PoolTimeout("no connection"),
        redis.exceptions.ConnectionError("refused"),
        redis.exceptions.RedisClusterException("no node answers"),
    ],
)
def test_a_store_that_is_down_is_a_503_without_details(error: Exception) -> None:
    """A caller may try again; only the operator learns which store it was."""
    with capture_logs() as log:
        response = render_error.respond(error, REQUEST_ID)

    assert response.status_code == 503
    assert b"hunter2" not in response.body
    assert [(entry["event"], entry["request_id"], entry["exc_info"]) for entry in log] == [
        ("store away", REQUEST_ID, error)
    ]


def test_a_client_that_disconnected_is_not_an_error() -> None:
    """The answer is not read; the access log shows it as nginx would."""
    with capture_logs() as log:
        response = render_error.respond(ClientDisconnect(), REQUEST_ID)

    assert (response.status_code, log) == (499, [])


def test_an_unknown_exception_is_a_500_whose_cause_is_only_logged() -> None:
    """The answer has the request id, the log has the exception."""
    error = ZeroDivisionError("the cause")
    with capture_logs() as log:
        response = render_error.respond(error, REQUEST_ID)

    assert response.status_code == 500
    assert orjson.loads(response.body)["error"]["message"] == (
        f"Something went wrong on our side. Quote request {REQUEST_ID} to support."
    )
    assert [entry["exc_info"] for entry in log] == [error]


def test_an_api_error_is_answered_and_not_logged() -> None:
    """A refused request is not an incident."""
    with capture_logs() as log:
        response = render_error.respond(errors.NotFound(), REQUEST_ID)

    assert (response.status_code, log) == (404, [])
