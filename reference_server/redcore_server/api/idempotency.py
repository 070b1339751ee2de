"""`Idempotency-Key`: the first answer to a POST is stored with its effect and replayed for 24 hours.

Everything happens in the transaction of the request itself, so that effect and answer are stored together or not at
all, even if the process dies. Stored answers are encrypted, see `redcore_server.api.sealed_answers`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import orjson
from psycopg.types.json import Jsonb
from starlette.responses import Response

from redcore_server.api.sealed_answers import Seal
from redcore_server.auth.credentials.principal import Principal
from redcore_server.errors import ApiError, IdempotencyKeyReused, RequestInProgress
from redcore_server.http.render_error import render, status_of
from redcore_server.store.postgres import AsyncPostgres, queries

LIFETIME: Final = timedelta(hours=24)  # contract section 3
_QUERIES: Final = queries("idempotency")
_STORED_ERRORS: Final = frozenset({409, 422})  # final errors of a handler, which a retry would not change


@attrs.frozen(kw_only=True)
class Attempt:
    """One request with an `Idempotency-Key`.

    Attributes:
        principal: Owner of the key.
        key: Key as sent by the client.
        fingerprint: Equal for equal requests, see `fingerprint`.
        request_id: UUID of the request.
        now: Time of the request.
    """

    principal: Principal
    key: str
    fingerprint: bytes
    request_id: str
    now: datetime


def fingerprint(operation_id: str, path: Mapping[str, str], body: object) -> bytes:
    """Return a digest that is equal for equal requests, however their JSON is formatted.

    Args:
        operation_id: OperationId of the request.
        path: Path parameters.
        body: The JSON body.
    """
    return hashlib.sha256(orjson.dumps([operation_id, path, body], option=orjson.OPT_SORT_KEYS)).digest()


async def once(connection: AsyncPostgres, attempt: Attempt, handle: Callable[[], Awaitable[Response]]) -> Response:
    """Return the stored answer, or handle the request and store its answer.

    Args:
        connection: Connection with an open transaction, which `handle` uses too.
        attempt: The client's request.
        handle: Does the work; its changes are rolled back if it raises.

    Raises:
        RequestInProgress: The first request with this key is still running.
        IdempotencyKeyReused: The key was used with a different request before.
        ApiError: From `handle`, if the error must not be stored.
    """
    seal = Seal(attempt.principal.credential_id, attempt.key)
    parameters: dict[str, Any] = {
        "organisation_id": attempt.principal.organisation_id,
        "principal": attempt.principal.credential_id,
        "key": seal.name,
        "now": attempt.now,
        "oldest": attempt.now - LIFETIME,
    }
    claim = await (await connection.execute(_QUERIES["claim"], parameters)).fetchone()
    if claim is None or not claim["claimed"]:
        raise RequestInProgress
    stored = await (await connection.execute(_QUERIES["stored"], parameters)).fetchone()
    if stored is not None:
        return _replay(stored, attempt, seal)
    response = await _handled(connection, attempt, handle)
    location = response.headers.get("Location")
    answer = {
        "fingerprint": attempt.fingerprint,
        "status": response.status_code,
        "headers": Jsonb({"Location": location} if location else {}),
        "body": seal.close(bytes(response.body), attempt.fingerprint),
    }
    await connection.execute(_QUERIES["store"], {**parameters, **answer})
    return response


async def _handled(connection: AsyncPostgres, attempt: Attempt, handle: Callable[[], Awaitable[Response]]) -> Response:
    try:
        async with connection.transaction():  # a savepoint: a rejected request leaves only its stored answer
            return await handle()
    except ApiError as error:
        if status_of(error) not in _STORED_ERRORS:
            raise
        return render(error, attempt.request_id)


def _replay(stored: dict[str, Any], attempt: Attempt, seal: Seal) -> Response:
    if stored["fingerprint"] != attempt.fingerprint:
        raise IdempotencyKeyReused
    headers = {**stored["headers"], "Idempotent-Replayed": "true"}
    body = seal.open(stored["body"], attempt.fingerprint)
    return Response(body, stored["status"], headers, "application/json")
