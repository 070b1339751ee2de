"""The lab as an ASGI app in front of another; the package's docstring is its manual."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from redcore_server.clock import Clock
from redcore_server.contract.methods import chosen
from redcore_server.contract.schema_messages import issues
from redcore_server.contract.spec import Rule
from redcore_server.errors import Detail, NotFound, ValidationFailed
from redcore_server.gateway.limits import Limits, Quota
from redcore_server.http.access_log import without_secrets
from redcore_server.http.context import REFUSAL
from redcore_server.http.exchange import request_id, standing_headers
from redcore_server.http.head import bodiless
from redcore_server.http.own_machine import is_of_own_machine
from redcore_server.http.render_error import respond
from redcore_server.lab.connection import cut, truncating
from redcore_server.lab.delays import Delays
from redcore_server.lab.faults import RULE as FAULTS
from redcore_server.lab.faults import Fault, Faults
from redcore_server.lab.seed_copy import SeedCopy
from redcore_server.lab.seen import described, noting_body
from redcore_server.mail.outbox import empty_outbox, read_outbox
from redcore_server.store import Stores

_MAX_REQUESTS: Final = 10_000  # the latest ones: more than a test makes, in about 10 MB
_SAFE: Final = {"GET", "HEAD", "OPTIONS"}  # no such request changes what a reset restores
_EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC).timestamp()  # of Python's calendar
_LATEST: Final = datetime(9998, 12, 31, tzinfo=UTC).timestamp()  # a year before its end, for times of expiry


def _object(required: str, properties: Mapping[str, Any]) -> Rule:
    schema = {"type": "object", "additionalProperties": False, "required": [required], "properties": properties}
    return Rule(schema, {})


_NUMBER: Final = {"type": "integer", "minimum": 0}
_CLOCK: Final = _object("advance", {"advance": {"type": "number"}})
_LIMITS: Final = _object("requests_per_minute", {"requests_per_minute": _NUMBER, "requests_per_second": _NUMBER})

_log = structlog.stdlib.get_logger("redcore_server.lab")

_Handler = Callable[[Request], Awaitable[object]]


class Lab:
    """Test mode around one gateway."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        stores: Stores,
        clock: Clock,
        limits: Limits,
        outbox: Path,
        add_platform: Callable[[], Awaitable[object]],
    ) -> None:
        """Wrap an app.

        Args:
            app: The gateway.
            clock: The server's clock, which the lab moves.
            limits: The gateway's limits, which the lab overrides.
            outbox: Folder of the mails.
            add_platform: Opens another platform; returns where it is.
        """
        self._app = app
        self._clock = clock
        self._limits = limits
        self._outbox = outbox
        self._faults = Faults()
        self._delays = Delays()
        self._seed = SeedCopy(stores)
        self._is_fresh = False
        self._requests: deque[dict[str, object]] = deque(maxlen=_MAX_REQUESTS)
        self._routes: dict[str, dict[str, _Handler]] = {
            "/lab/faults": {"GET": self._list_faults, "POST": self._add_faults, "DELETE": self._clear_faults},
            "/lab/clock": {"POST": self._advance_clock, "DELETE": self._reset_clock},
            "/lab/limits": {"PUT": self._override_limits, "DELETE": self._restore_limits},
            "/lab/outbox": {"GET": self._read_outbox},
            "/lab/requests": {"GET": self._list_requests},
            "/lab/reset": {"POST": self._reset},
            "/lab/platforms": {"POST": lambda _: add_platform()},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to the lab, or pass it on, with or without a fault."""
        if scope["type"] != "http" or REFUSAL.find(scope):
            await self._app(scope, receive, send)
        elif scope["path"].startswith("/lab/"):
            await self._serve(scope, receive, send)
        else:
            await self._keep_seed()
            try:
                await self._relay(scope, receive, send)
            finally:  # at the end, or a reset in between would not count what the request still writes
                self._is_fresh = self._is_fresh and scope["method"] in _SAFE

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(Request(scope, receive))
        except Exception as error:  # noqa: BLE001 - the edge: every error is answered here
            response = respond(error, request_id(scope))
        await response(scope, receive, self._with_standing_headers(scope, send))

    async def _answer(self, request: Request) -> Response:
        handlers = self._routes.get(request.url.path)
        if handlers is None or not is_of_own_machine(request):
            raise NotFound
        answer = await chosen(handlers, request.method)(request)
        if answer is None:
            return Response(status_code=204)
        return Response(orjson.dumps(answer), media_type="application/json")

    async def _relay(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.take(scope["method"], scope["path"]) or Fault()
        entry: dict[str, object] = {
            "method": scope["method"],
            "path": without_secrets(scope["path"]),
            "status": 0,
            "request_id": None,
            **described(scope),
        }
        self._requests.append(entry)
        receive = noting_body(entry, scope, receive)
        may_go_on = await self._delays.wait(fault.delay_s)
        if fault.is_dropped or not may_go_on:
            await cut(receive, send)
            return
        answer = _noting(entry, truncating(receive, send) if fault.is_truncated else send)
        if fault.answer is None:
            await self._app(scope, receive, answer)
        else:
            await fault.answer(scope, receive, self._with_standing_headers(scope, answer))

    def _with_standing_headers(self, scope: Scope, send: Send) -> Send:
        send = bodiless(scope, send)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                standing = standing_headers(request_id(scope), self._clock)
                message = {**message, "headers": [*message["headers"], *standing]}
            await send(message)

        return sending

    async def _keep_seed(self) -> None:
        try:
            await self._seed.keep()
        except psycopg.OperationalError as error:  # the gateway will answer 503, and the next request retries
            _log.warning("the seed is not kept yet: PostgreSQL is away", problem=str(error))

    async def _add_faults(self, request: Request) -> None:
        self._faults.add(await _body(request, FAULTS))

    async def _list_faults(self, _: Request) -> object:
        return self._faults.pending()

    async def _clear_faults(self, _: Request) -> None:
        self._faults.clear()

    async def _advance_clock(self, request: Request) -> dict[str, object]:
        seconds = (await _body(request, _CLOCK))["advance"]
        if not _EARLIEST <= self._clock.time() + seconds <= _LATEST:
            raise ValidationFailed(details=[Detail("advance", "leads out of the years 1 to 9998")])
        self._clock.advance(seconds)
        return self._time()

    async def _reset_clock(self, _: Request) -> dict[str, object]:
        self._clock.reset()
        return self._time()

    def _time(self) -> dict[str, object]:
        return {"now": self._clock.now().isoformat().replace("+00:00", "Z")}

    async def _override_limits(self, request: Request) -> None:
        body = await _body(request, _LIMITS)
        self._limits.override = Quota(body["requests_per_minute"], body.get("requests_per_second"))

    async def _restore_limits(self, _: Request) -> None:
        self._limits.override = None

    async def _read_outbox(self, _: Request) -> object:
        return await run_in_threadpool(read_outbox, self._outbox)

    async def _list_requests(self, _: Request) -> object:
        return list(self._requests)

    async def _reset(self, _: Request) -> None:
        self._faults.clear()
        self._delays.end()
        self._clock.reset()
        self._limits.override = None
        if not self._is_fresh:
            await self._seed.keep()
            await self._seed.restore()
        await self._seed.forget_rates()
        await run_in_threadpool(empty_outbox, self._outbox)
        self._requests.clear()
        self._is_fresh = True


def _noting(entry: dict[str, object], send: Send) -> Send:
    """Return a `send` that records status and request id of the response."""

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry["status"] = message["status"]
            entry["request_id"] = dict(message["headers"])[b"x-request-id"].decode()
        await send(message)

    return noting


async def _body(request: Request, rule: Rule) -> dict[str, Any]:
    try:
        value = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise ValidationFailed(details=[Detail("body", f"is not valid JSON: {error}")]) from error
    problems = list(issues(rule, value, "body"))
    if problems:
        raise ValidationFailed(details=problems)
    return dict[str, Any](value)
