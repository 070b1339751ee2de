"""The fake platform: from a request to its answer, by the rules of the contract. Performs no I/O.

In the order of the gateway: credential, rate limit, operation, scope, validation, idempotency, handler, envelope.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from redcore.testing._fake import access, oauth
from redcore.testing._fake.call import Answer, Asked, Call
from redcore.testing._fake.contract import Operation, contract, invalid
from redcore.testing._fake.handlers import HANDLERS
from redcore.testing._fake.limits import ANONYMOUS, API_KEY, APPLICATION, FAILED, Limits
from redcore.testing._fake.problem import OAuthProblem, Problem
from redcore.testing._fake.state import Row, State
from redcore.testing._fake.upload import parts_of

REPLAY_S = 24 * 3600  # contract section 3, Idempotency-Key
STORED_ERRORS = {409, 422}  # what asking again would not change
ME = "/v1/me"
MAX_KEY = 255  # openapi/redcore.yaml, IdempotencyKey


class Platform:
    """Answers requests from its state."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.limits: Limits = Limits()

    def answer(self, asked: Asked) -> Answer:
        """Answer a request, whatever is wrong with it."""
        request_id = request_id_of(asked.headers)
        limit_headers: Row = {}
        is_head = asked.method == "HEAD"
        try:
            got = attrs.evolve(asked, method="GET") if is_head else asked
            answer = self._answer(got, request_id, limit_headers)
        except Problem as problem:
            answer = refusal(problem)
        except OAuthProblem as problem:
            answer = oauth.refusal(problem)
        headers = {"Cache-Control": "no-store", **answer.headers, **limit_headers, "X-Request-ID": request_id}
        return Answer(answer.status, headers, b"" if is_head else answer.content)

    def _answer(self, asked: Asked, request_id: str, headers: Row) -> Answer:
        if not asked.path.startswith("/v1/"):
            self._spend("address", ANONYMOUS, headers)
            return oauth.answer(self.state, asked)
        try:
            caller = access.caller(self.state, asked.headers)
        except Problem:
            self._spend("failed", FAILED, headers)
            raise
        if asked.path == ME:
            headers.update(caller.described())
        self._spend(caller.credential, API_KEY if caller.credential.startswith("key_") else APPLICATION, headers)
        operation, path = contract().find(asked.method, asked.path)
        if operation.scope is not None:
            caller.require(operation.scope)
        query, key = operation.parameters(asked.query), idempotency_key(operation, asked.headers)
        body = parts_of(asked) if operation.is_upload else operation.json(asked)
        call = Call(
            operation=operation.id,
            state=self.state,
            caller=caller,
            path=path,
            query=query,
            body=body,
            headers=asked.headers,
        )
        if key is None:
            return handled(operation, call, request_id)
        return self._once(operation, call, key, request_id)

    def _spend(self, subject: str, quota: Any, headers: Row) -> None:
        verdict = self.limits.spend(subject, quota, self.state.now())
        headers.update(verdict.headers)
        if not verdict.is_allowed:
            headers["Retry-After"] = str(verdict.retry_after_s)
            raise Problem("RATE_LIMIT_EXCEEDED", f"Too many requests; try again in {verdict.retry_after_s} s.")

    def _once(self, operation: Operation, call: Call, key: str, request_id: str) -> Answer:
        name = (call.caller.credential, key)
        fingerprint = msgspec.json.encode([operation.id, call.path, call.body], order="sorted")
        held = self.state.replays.get(name)
        if held is not None and held[0] > self.state.now() - REPLAY_S:
            _, known, answer = held
            if known != fingerprint:
                raise Problem("IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used with another request.")
            return Answer(answer.status, {**answer.headers, "Idempotent-Replayed": "true"}, answer.content)
        try:
            answer = handled(operation, call, request_id)
        except Problem as problem:
            answer = refusal(problem)
            if answer.status not in STORED_ERRORS:
                raise
        self.state.replays[name] = (self.state.now(), fingerprint, answer)
        return answer


def handled(operation: Operation, call: Call, request_id: str) -> Answer:
    """Do what a valid request asks for."""
    reply = HANDLERS[operation.id](call)
    if isinstance(reply, Answer):
        return reply
    location = {} if reply.location is None else {"Location": reply.location}
    return success(operation, reply.data, request_id, page=reply.page, headers=location)


def success(
    operation: Operation,
    data: Any,
    request_id: str,
    *,
    page: Row | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A success in its envelope."""
    if operation.success == 204:
        return Answer(204, headers or {})
    meta = {"request_id": f"req_{request_id.replace('-', '')}", "version": contract().version, **(page or {})}
    content = msgspec.json.encode({"data": data, "meta": meta})
    return Answer(operation.success, {**(headers or {}), "Content-Type": "application/json"}, content)


def refusal(problem: Problem) -> Answer:
    """A refusal in its envelope."""
    headers = {**problem.headers, "Content-Type": "application/json"}
    return Answer(contract().statuses[problem.code], headers, msgspec.json.encode(problem.envelope()))


def idempotency_key(operation: Operation, headers: Mapping[str, str]) -> str | None:
    """The key of a request, if its operation takes one."""
    key = headers.get("idempotency-key")
    if key is None or not operation.keyed:
        return None
    if not (0 < len(key) <= MAX_KEY and all("!" <= character <= "~" for character in key)):
        raise invalid([("Idempotency-Key", "must be 1 to 255 visible ASCII characters")])
    return key


def request_id_of(headers: Mapping[str, str]) -> str:
    """The id that the client gave its request, if it is a UUID, or a new one."""
    given = headers.get("x-request-id", "")
    try:
        return given if str(uuid.UUID(given)) == given.lower() else str(uuid.uuid4())
    except ValueError:
        return str(uuid.uuid4())
