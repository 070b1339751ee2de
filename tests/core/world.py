"""A world for one call: it performs the steps with scripted answers, and its clock advances only by waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import attrs
import msgspec
from tests.answers import USER

from redcore._base.operation import Operation
from redcore._base.response import Headers, Incoming, Response
from redcore._base.runtime import Runtime
from redcore._call.arguments import ClientArguments
from redcore._call.authenticator import Authenticator
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions, Engine
from redcore._call.pacer import Pacer
from redcore._call.steps import Acquire, Ask, Close, Flow, Notify, Read, Send, Sleep, Step, Stream, Work, drive
from redcore._spec import operations
from redcore._spec.models import User
from redcore._wire.encoding import Request
from redcore._wire.multipart import Multipart
from redcore.tokens import MemoryCache, TokenCache, TokenSet
from redcore.tokens.single_flight import SharedLock

T = TypeVar("T")
Answer = Response | Incoming | Exception | Callable[[Request], Response | Incoming]

ORIGIN = "https://api.example"
BASE_URL = f"{ORIGIN}/v1"
START = 1_700_000_000.0
GET: Operation[User] = operations.users_get("usr_1")


def answer(status: int = 200, payload: object = None, /, **headers: str) -> Response:
    """Make an answer; underscores in header names stand for hyphens."""
    named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Response(status, named, b"" if payload is None else msgspec.json.encode(payload))


def user() -> Response:
    """Make a success."""
    return answer(200, {"data": dict(USER), "meta": {}})


def refusal(status: int, code: str = "ANY_CODE", /, message: str = "no", **headers: str) -> Response:
    """Make an error envelope."""
    return answer(status, {"error": {"code": code, "message": message, "docs": "", "details": []}}, **headers)


EXPIRED = refusal(401, "TOKEN_EXPIRED")


def tokens(access: str = "access-2", refresh: str | None = "refresh-2", **more: Any) -> Response:
    """Make an answer of the token endpoint."""
    pair = {"access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh, **more}
    return answer(200, {name: value for name, value in pair.items() if value is not None})


def given(**options: Any) -> ClientArguments:
    """Return the arguments of a client, all left out but these."""
    return ClientArguments(**{**dict.fromkeys(field.name for field in attrs.fields(ClientArguments)), **options})


def content_of(request: Request) -> bytes:
    """Return the body of a request that is not streamed."""
    assert isinstance(request.content, bytes)
    return request.content


def form(request: Request) -> dict[str, str]:
    """Return the fields of the form that is the body of a request."""
    return dict(parse_qsl(content_of(request).decode()))


def as_sent(request: Request) -> Request:
    """Copy the request as it is now: the next attempt signs the same headers anew."""
    return attrs.evolve(request, headers=dict(request.headers))


class World:
    """Answers requests from a script, in order, and records them."""

    def __init__(
        self, *script: Answer, credentials: Credentials | None = None, cache: TokenCache | None = None
    ) -> None:
        self.script = list(script)
        self.sent: list[Send] = []
        self.streams: list[Stream] = []
        self.slept: list[float] = []
        self.notified: list[dict[str, Any]] = []
        self.time = START
        self.oversleep_s = 0.0
        self.cache = MemoryCache() if cache is None else cache
        self.runtime = Runtime(now=lambda: self.time, monotonic=lambda: round(self.time - START, 6), draw=lambda: 0.5)
        self.auth = Authenticator(
            credentials or Credentials(api_key="rk_test_key"),
            origin=ORIGIN,
            cache=self.cache,
            on_token_refreshed=self._note,
            runtime=self.runtime,
        )
        self.pacer = Pacer(self.runtime.monotonic)
        self.engine = Engine(base_url=BASE_URL, auth=self.auth, pacer=self.pacer, runtime=self.runtime)

    @property
    def requests(self) -> list[Request]:
        """The requests sent, in order."""
        return [send.request for send in self.sent]

    @property
    def paths(self) -> list[str]:
        """The paths they were sent to."""
        return [request.url.removeprefix(ORIGIN) for request in self.requests]

    @property
    def bearers(self) -> list[str]:
        """The access tokens that calls were made with, in order."""
        sent = [request.headers.get("Authorization", "") for request in self.requests]
        return [header.removeprefix("Bearer ") for header in sent if header.startswith("Bearer ")]

    @property
    def grants(self) -> list[str]:
        """The grants that were requested, in order."""
        return [form(request)["grant_type"] for request in self.requests if request.url.endswith("/oauth/token")]

    @property
    def key(self) -> str:
        """The key of the pair in the cache."""
        return self.auth._key

    @property
    def lock(self) -> SharedLock:
        """The lock that a refresh holds."""
        return self.auth._store.lock

    @property
    def held(self) -> TokenSet | None:
        """The pair in the cache."""
        return self.cache.get(self.key)

    def call(self, operation: Operation[T], **options: Any) -> T:
        """Make a call as a client with these options would."""
        return self.run(self.engine.call(operation, CallOptions(**options)))

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow to its end."""
        return drive(flow, self.perform)

    def perform(self, step: Step) -> Any:  # noqa: PLR0911 (one for each kind of step)
        """Perform one step."""
        match step:
            case Send(request):
                self.sent.append(attrs.evolve(step, request=as_sent(request)))
                return self._answer(request)
            case Stream(request):
                self.streams.append(attrs.evolve(step, request=as_sent(request)))
                return self._answer_read(request)
            case Read(answer):
                return answer.read()
            case Close(answer):
                return answer.close()
            case Work(function):
                return function()
            case Sleep(seconds):
                self.slept.append(seconds)
                self.time += seconds + self.oversleep_s
                return None
            case Acquire(lock, timeout_s, claim):
                return lock.acquire(0.0, claim) or self._wait_in_vain(timeout_s)
            case Ask(function):
                return function()
            case Notify(callback, refreshed):
                return callback(refreshed)

    def _wait_in_vain(self, timeout_s: float) -> bool:
        self.time += timeout_s
        return False

    def _answer_read(self, request: Request) -> Any:
        """Answer a request after reading its body, as servers do."""
        if isinstance(request.content, Multipart):
            b"".join(request.content)
        return self._answer(request)

    def _answer(self, request: Request) -> Any:
        reply = self.script.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply(request) if callable(reply) else reply

    def _note(self, refreshed: dict[str, Any]) -> None:
        self.notified.append(refreshed)
