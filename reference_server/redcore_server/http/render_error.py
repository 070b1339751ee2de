"""Renders errors as HTTP: the envelope of the contract's section 3. Only the edges of the services call it."""

from __future__ import annotations

from collections.abc import Iterable
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

# What a store raises that does not answer or cannot be written to; a caller may try again.
_STORE_AWAY: Final = (
    psycopg.OperationalError,  # with a full disk (class 53) and a server that stops (class 57)
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    redis.exceptions.RedisError,
    redis.exceptions.RedisClusterException,
    ObjectsUnavailable,
)
_CLIENT_GONE: Final = 499  # as nginx logs it; it is never sent, because the client has gone

_log = structlog.stdlib.get_logger("redcore_server.errors")


def respond(error: Exception, request_id: str) -> Response:
    """Return the answer to a request that raised; an error that is not an `ApiError` is logged here, once.

    Args:
        error: Raised by a handler.
        request_id: UUID of the request.
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


def render(error: ApiError, request_id: str) -> Response:
    """Return the answer that reports an error.

    Args:
        error: To report.
        request_id: UUID of the request, in the message where only the operator can help.
    """
    message = error.message
    if isinstance(error, InternalError):
        message += f" Quote request {request_id} to support."
    content = envelope(error.code, message, error.details)
    return Response(content, status_of(error), error.headers, "application/json")


def status_of(error: ApiError) -> int:
    """Return the HTTP status of an error, which the contract names for its code.

    Args:
        error: To answer with.
    """
    return statuses()[error.code]


def envelope(code: str, message: str, details: Iterable[Detail] = ()) -> bytes:
    """Return the error envelope of the contract's section 3 as JSON.

    Args:
        code: Of the catalogue.
        message: Human-readable message.
        details: Every problem of the request.
    """
    problems = [{"field": detail.field, "issue": detail.issue} for detail in details]
    return orjson.dumps({"error": {"code": code, "message": message, "docs": f"{_DOCS}{code}", "details": problems}})
