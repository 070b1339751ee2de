"""Renders errors as HTTP: the envelope of the contract's section 3. Only the edges of the services call it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import orjson
import psycopg
import redis.exceptions
import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from redcore_server.contract.document import statuses
from redcore_server.errors import ApiError, Detail, InternalError, ServiceUnavailable
from redcore_server.store.objects import ObjectsUnavailable

_DOCS: Final = "https://docs.blueround.com/api/errors#"

# Errors of a store that does not answer or is not writable; a caller may retry.
_STORE_AWAY: Final = (
    psycopg.OperationalError,  # includes a full disk (class 53) and a stopping server (class 57)
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    redis.exceptions.RedisError,
    redis.exceptions.RedisClusterException,
    ObjectsUnavailable,
)
_CLIENT_GONE: Final = 499  # as nginx logs it; never sent, because the client has disconnected

_log = structlog.stdlib.get_logger("redcore_server.errors")


def render(error: ApiError, request_id: str) -> Response:
    """Return the response that reports an error, with the envelope.

    Args:
        error: The error to report.
        request_id: UUID of the request.
    """
    content = envelope(error.code, message_of(error, request_id), error.details)
    return Response(content, status_of(error), error.headers, "application/json")


def respond(error: Exception, request_id: str, render: Callable[[ApiError, str], Response] = render) -> Response:
    """Return the response for an exception; an error that is not an `ApiError` is logged here, once.

    Args:
        error: Exception raised by a handler.
        request_id: UUID of the request.
        render: Returns the response that reports an error, in the form of the endpoint.
    """
    if isinstance(error, ApiError):
        return render(error, request_id)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=_CLIENT_GONE)
    if isinstance(error, _STORE_AWAY):
        _log.error("store away", request_id=request_id, exc_info=error)
        return render(ServiceUnavailable(), request_id)
    _log.error("unexpected error", request_id=request_id, exc_info=error)
    return render(InternalError(), request_id)


def message_of(error: ApiError, request_id: str) -> str:
    """Return the message of an error; it names the request if only the operator can help.

    Args:
        error: The error to report.
        request_id: UUID of the request.
    """
    if isinstance(error, InternalError):
        return f"{error.message} Quote request {request_id} to support."
    return error.message


def status_of(error: ApiError) -> int:
    """Return the HTTP status of an error, which the contract defines for its code.

    Args:
        error: The error to report.
    """
    return statuses()[error.code]


def envelope(code: str, message: str, details: Iterable[Detail] = ()) -> bytes:
    """Return the error envelope of the contract's section 3 as JSON.

    Args:
        code: Error code of the catalogue.
        message: Human-readable message.
        details: All problems of the request.
    """
    problems = [{"field": detail.field, "issue": detail.issue} for detail in details]
    return orjson.dumps({"error": {"code": code, "message": message, "docs": f"{_DOCS}{code}", "details": problems}})
