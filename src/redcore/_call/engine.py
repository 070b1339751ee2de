"""A whole call as a generator of steps: idempotency key, pacing, authentication, attempts, waits. No I/O.

States of a call, and the legal transitions:

    begun    → paced      the rate limit is used up: the call waits for the next window
    begun, paced → tried  a request is sent, after a token was obtained if it needs one
    tried    → tried      401: repeated at once with a new token, once per attempt
    tried    → done       2xx: the value is read
    tried    → waiting    it failed, and policy, idempotency, body, deadline and retry budget allow a retry
    waiting  → tried      the wait is over
    tried    → failed     no retry is allowed: the error of the last attempt, with its history
    waiting  → failed     the wait took longer than asked, past the deadline
    any      → cancelled  the caller is interrupted or cancelled; locks are released on the way out
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import attrs

from redcore._base.operation import Operation
from redcore._base.response import Headers, Response
from redcore._base.runtime import Runtime, new_id
from redcore._call.attempts import AttemptHistory
from redcore._call.authenticator import Authenticator
from redcore._call.observers import ObservedCall, Observer
from redcore._call.pacer import Pacer
from redcore._call.retry import RetryBudget, asked_wait_s, wait_s
from redcore._call.secrets import without_secrets
from redcore._call.steps import Budget, Flow, Sleep, ending, sending
from redcore._spec import operations
from redcore._spec.models import TokenResponse
from redcore._wire.decoding import failure, oauth_failure, read
from redcore._wire.encoding import Request, call_headers, encode
from redcore._wire.raw_response import raw
from redcore.exceptions import RateLimitError, RedcoreError, ResponseError, StopReason
from redcore.hooks import AsyncHooks
from redcore.options import Retry
from redcore.tokens.token_set import TokenSet, granted

T = TypeVar("T")
Sender: TypeAlias = Callable[[Request, Budget, AttemptHistory], Flow[Response]]
"""Makes one attempt of a call: signs its request and sends it."""


@attrs.frozen(kw_only=True)
class CallOptions:
    """The options that a client, or one made by `with_options`, applies to every call."""

    timeout_s: float = 30.0
    deadline_s: float | None = None
    retry: Retry = attrs.field(factory=Retry)
    failed: int = 0
    """Attempts of the same transfer that failed before this call."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    idempotency_key: str | None = None
    pacing: bool = True
    hooks: AsyncHooks | None = None


@attrs.frozen(kw_only=True)
class Engine:
    """The state that all calls of a client share."""

    base_url: str
    auth: Authenticator
    pacer: Pacer
    runtime: Runtime
    retry_budget: RetryBudget = attrs.field(factory=RetryBudget)
    observers: tuple[Observer, ...] = ()
    """Observers of all calls, such as logs and traces."""

    def call(self, operation: Operation[T], options: CallOptions) -> Flow[T]:
        """Make one call, reporting it to hooks and observers if there are any.

        Raises:
            ArgumentError: an argument cannot be sent; no request was made.
            RedcoreAPIError, NetworkError: the error of the last attempt.
            ResponseError: the response cannot be read.
        """
        flow = self._call(operation, options)
        if options.hooks is None and not self.observers:
            return flow
        watching = [found for observer in self.observers if (found := observer.started(operation)) is not None]
        if options.hooks is None and not watching:
            return flow
        return ObservedCall(watching, options.hooks, self.runtime.monotonic).over(flow)

    def _call(self, operation: Operation[T], options: CallOptions) -> Flow[T]:
        headers = call_headers(operation, new_id(), options.headers)
        if operation.keyed:
            headers["Idempotency-Key"] = options.idempotency_key or new_id()
        budget = self.budget(options, headers["X-Request-ID"])
        try:
            send: Sender
            if operation.auth == "bearer":
                request, send = encode(operation, self.base_url, headers), self._with_token
            else:
                request, send = self.auth.sign(operation, headers, budget.request_id), self._as_signed
            if options.pacing and operation.auth == "bearer" and (wait := self.pacer.wait_s()):
                yield self._pacing(wait, budget)
            return (yield from self._attempts(operation, request, send, options, budget))
        except RedcoreError as error:
            if error.request_id is None:  # for errors raised without access to the request id
                error.request_id = budget.request_id
            error.idempotency_key = headers.get("Idempotency-Key")
            raise

    def log_in(self, operation: Operation[TokenResponse], options: CallOptions) -> Flow[None]:
        """Begin the session of a person by exchanging a grant.

        Raises:
            AuthenticationError: the grant was rejected.
            RedcoreAPIError, NetworkError, ResponseError: as for `call`.
        """
        tokens = yield from self.grant(operation, options)
        yield from self.auth.begin(tokens)

    def grant(self, operation: Operation[TokenResponse], options: CallOptions) -> Flow[TokenSet]:
        """Exchange a grant for tokens without storing them; raises as `log_in` does."""
        request_id = options.headers.get("X-Request-ID") or new_id()
        options = attrs.evolve(options, headers={**options.headers, "X-Request-ID": request_id})
        answer = yield from self.call(raw(operation), options)
        try:
            return granted(answer.value, Response(answer.status_code, answer.headers), self.runtime.now())
        except ResponseError as error:
            error.request_id = request_id
            raise

    def log_out(self, options: CallOptions) -> Flow[None]:
        """End the session of the client (RFC 7009).

        Raises:
            ConfigurationError: there is no session to end.
            RedcoreAPIError, NetworkError, ResponseError: as for `call`; the session continues.
        """

        def revoke(token: str) -> Flow[None]:
            return self.call(operations.auth_revoke(token=token), options)

        return self.auth.end(revoke, self.budget(options, new_id()))

    def _attempts(
        self, operation: Operation[T], request: Request, send: Sender, options: CallOptions, budget: Budget
    ) -> Flow[T]:
        """Make attempts and waits until one succeeds or the policy stops (contract section 7, Retries)."""
        history = AttemptHistory(self.runtime.monotonic, budget.request_id)
        attempt = 1 + options.failed
        while True:
            try:
                response = yield from send(request, budget, history)
                value = self._read(operation, response, budget)
            except RedcoreError as error:
                wait = self.next_wait(error, attempt, history, options, budget, sent_once=sent_once(operation, request))
                if isinstance(wait, str):
                    raise
                last = error
            else:
                self.retry_budget.refund()
                return value
            yield Sleep(wait, "retry")
            if not budget.allows(0.0):  # the sleep took longer than asked
                raise history.overslept(last)
            attempt += 1
            history.begin()

    def _as_signed(self, request: Request, budget: Budget, _: AttemptHistory) -> Flow[Response]:
        """Make one attempt with a request that needs no token."""
        response: Response = yield sending(request, budget)
        return response

    def _with_token(self, request: Request, budget: Budget, history: AttemptHistory) -> Flow[Response]:
        """Make one attempt with an access token or API key; repeat it with a new token after a 401."""
        rejected: str | None = None
        while True:
            token = yield from self.auth.bearer(budget, rejected=rejected)
            request.headers["Authorization"] = f"Bearer {token}"  # RFC 6750 section 2.1
            response: Response = yield sending(request, budget)
            is_rejected = response.status_code == 401 and rejected is None
            if not (is_rejected and request.replayable and self.auth.can_replace(token)):
                return response
            history.refused(response)
            rejected = token

    def next_wait(
        self,
        error: RedcoreError,
        attempt: int,
        history: AttemptHistory,
        options: CallOptions,
        budget: Budget,
        *,
        sent_once: StopReason | None = None,
    ) -> float | StopReason:
        """Decide after a failed attempt whether to retry, and record the attempt.

        Args:
            error: Why the attempt failed. If there is no retry, the history of the attempts is attached to it.
            attempt: Number of the attempt that failed, from 1.
            history: The attempts so far.
            options: The options of the call.
            budget: How long the call may still take.
            sent_once: Why the request cannot be sent again; None if it can be.

        Returns:
            Seconds to wait, or the reason to raise the error.
        """
        draw = self.runtime.draw()
        planned = wait_s(options.retry, error, attempt, draw, elapsed_s=history.elapsed_s, waited_s=history.waited_s)
        wait = planned if isinstance(planned, str) else sent_once or self._affordable(error, planned, budget)
        history.failed(error, wait)
        return wait

    def _affordable(self, error: RedcoreError, wait: float, budget: Budget) -> float | StopReason:
        """Return the wait, or the limit that forbids it: the deadline or the retry budget."""
        if not budget.allows(wait):
            return "deadline"
        # A retry that the server requested by Retry-After cannot overload it.
        if asked_wait_s(error) is None and not self.retry_budget.spend(self.runtime.monotonic()):
            return "retry budget"
        return wait

    def _read(self, operation: Operation[T], response: Response, budget: Budget) -> T:
        now = self.runtime.now()
        if operation.auth == "bearer":
            self.pacer.note(response.headers, now)
        if 200 <= response.status_code < 300:
            return read(operation, response)
        explain = failure if operation.auth == "bearer" else oauth_failure
        shown = without_secrets(response, self.auth.secrets(), operation.body)
        raise explain(shown, now=now, request_id=budget.request_id)

    def _pacing(self, wait: float, budget: Budget) -> Sleep:
        """Wait for the next window instead of receiving a 429.

        Raises:
            RateLimitError: the call's deadline ends before.
        """
        if not budget.allows(wait):
            raise RateLimitError(
                f"the rate limit is used up for another {wait:.1f} s, longer than the call's deadline",
                response=Response(429, Headers({})),
                code="RATE_LIMIT_EXCEEDED",
                retry_after=wait,
                request_id=budget.request_id,
            )
        return Sleep(wait, "pacing")

    def budget(self, options: CallOptions, request_id: str) -> Budget:
        """The time budget of a call that begins now."""
        ends_at = ending(self.runtime, options.deadline_s)
        return Budget(runtime=self.runtime, timeout_s=options.timeout_s, ends_at=ends_at, request_id=request_id)


def sent_once(operation: Operation[Any], request: Request) -> StopReason | None:
    """Why the request of a call cannot be sent again; None if it can."""
    if not (operation.idempotent or operation.keyed):
        return "not idempotent"
    return None if request.replayable else "body cannot be sent again"
