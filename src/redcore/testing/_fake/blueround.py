"""`FakeBlueRound`: the platform in process, for unit tests."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self

from anyio.lowlevel import checkpoint

from redcore import AsyncClient, Client
from redcore._base.runtime import TIME, Sleeper, present
from redcore._transport import AsyncTransport, Transport
from redcore._transport.stand_in import STAGE, StandIn
from redcore.exceptions import RedcoreError
from redcore.testing._fake.answers import answer_of, error_of, faulty
from redcore.testing._fake.assertions import new_assertion
from redcore.testing._fake.call import Answer, Asked
from redcore.testing._fake.contract import Operation, contract
from redcore.testing._fake.faults import Script, Scripts
from redcore.testing._fake.grants import authorize, decide_device
from redcore.testing._fake.lab import FakeLab
from redcore.testing._fake.platform import Platform, request_id_of
from redcore.testing._fake.seen import seen
from redcore.testing._fake.state import ADMIN_EMAIL, State
from redcore.testing._fake.transport import AsyncFakeTransport, Delivery, FakeTransport, broken, late
from redcore.testing._fake.work import finish
from redcore.testing.credentials import ApiKeyArguments, ApplicationArguments
from redcore.testing.lab import Fault, Lab, Mail, SeenRequest

BASE_URL = "https://api.blueround.com/v1"
API_KEY = "rk_test_of_the_fake_with_all_scopes"
CLIENT_SECRET = "rcs_of_the_fake"  # noqa: S105 (it opens nothing)
MAX_SEEN = 10_000  # as the server's lab


class FakeBlueRound:
    """A BlueRound platform in this process: no server, no thread, no socket.

    Inside its `with` block every `Client` and `AsyncClient` of the process talks to it, however it was made, and
    waits between attempts are over at once: the clocks of the clients and of the fake move on by them.

    Example::

        with FakeBlueRound() as fake:
            fake.fail("users.create", DuplicateError)
            client = Client(**fake.arguments)
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._outer: tuple[StandIn | None, Sleeper | None] = None, None
        self.blocking: Transport = FakeTransport(self._deliver)
        self.awaited: AsyncTransport = AsyncFakeTransport(self._deliver)
        self.scripts: Scripts = Scripts()
        self.lab: Lab = FakeLab(self)
        """Faults, the clock, rate limits: the same as `ReferenceServer.lab`."""
        self.reset()

    def reset(self) -> None:
        """Remove everything except the seeded administrator, application and API key."""
        state = State(present)
        everything = contract().scopes
        state.add_api_key(
            API_KEY, owner_id=state.admin_id, name="Example key", mode="test", scopes=["admin"], expires_at=None
        )
        application = state.add_application(
            CLIENT_SECRET,
            owner_id=state.admin_id,
            name="Example application",
            scopes=everything,
            redirect_uris=["http://127.0.0.1/callback"],
        )
        self.client_id: str = application["id"]
        self.platform: Platform = Platform(state)
        self.scripts.clear()
        self._seen: deque[SeenRequest] = deque(maxlen=MAX_SEEN)
        self._runs_finish = True

    # In place of the network -----------------------------------------------------------------

    def __enter__(self) -> Self:
        self._outer = STAGE.stand_in, TIME.sleeper
        STAGE.stand_in = TIME.sleeper = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        STAGE.stand_in, TIME.sleeper = self._outer
        if self._outer == (None, None):
            TIME.skipped_s = 0.0

    def sleep(self, seconds: float) -> None:
        """Let time pass at once; runs that were started finish meanwhile, unless they are held."""
        with self._lock:
            if (outer := self._outer[1]) is None:
                TIME.skipped_s += seconds
            else:
                outer.sleep(seconds)
            if self._runs_finish:
                self.finish_runs()

    async def sleep_async(self, seconds: float) -> None:
        """As `sleep`, awaited."""
        await checkpoint()
        self.sleep(seconds)

    def _deliver(self, asked: Asked, timeout_s: float) -> Delivery:
        with self._lock:
            try:
                delivery = self._scripted(asked, timeout_s)
            except RedcoreError:
                self._seen.append(seen(asked, status=0, request_id=None))
                raise
            answer = delivery.answer
            self._seen.append(seen(asked, status=answer.status, request_id=answer.headers["X-Request-ID"]))
            return delivery

    def _scripted(self, asked: Asked, timeout_s: float) -> Delivery:
        step = self.scripts.take(asked.method, asked.path)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Answer):
            return Delivery(self._standing(asked, step))
        fault = step or Fault()
        if fault.delay is not None:
            TIME.skipped_s += min(fault.delay, timeout_s)
            if fault.delay >= timeout_s:
                raise late(timeout_s)
        if fault.drop:
            raise broken()
        answer = self.platform.answer(asked) if fault.status is None else self._standing(asked, faulty(fault))
        return Delivery(answer, is_truncated=fault.truncate)

    def _standing(self, asked: Asked, answer: Answer) -> Answer:
        return Answer(answer.status, {**answer.headers, "X-Request-ID": request_id_of(asked.headers)}, answer.content)

    # Clients ---------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """What `Client(base_url=…)` takes; any other address is answered too."""
        return BASE_URL

    @property
    def arguments(self) -> ApiKeyArguments:
        """Arguments for a client with the seeded API key, which may do everything: `Client(**fake.arguments)`."""
        return {"base_url": BASE_URL, "api_key": API_KEY}

    @property
    def application(self) -> ApplicationArguments:
        """Arguments for a client with the seeded OAuth application."""
        return {"base_url": BASE_URL, "client_id": self.client_id, "client_secret": CLIENT_SECRET}

    @property
    def environment(self) -> dict[str, str]:
        """The `REDCORE_*` variables for the seeded API key and the seeded application."""
        application = {"REDCORE_CLIENT_ID": self.client_id, "REDCORE_CLIENT_SECRET": CLIENT_SECRET}
        return {"REDCORE_BASE_URL": BASE_URL, "REDCORE_API_KEY": API_KEY, **application}

    def client(self, **options: Any) -> Client:
        """A client with the seeded API key; use it inside the `with` block of the fake."""
        given: dict[str, Any] = {**self.arguments, **options}
        return Client(**given)

    def async_client(self, **options: Any) -> AsyncClient:
        """As `client`, awaited."""
        given: dict[str, Any] = {**self.arguments, **options}
        return AsyncClient(**given)

    # Persons ---------------------------------------------------------------------------------

    def accept_invitation(self, email: str) -> None:
        """Accept the invitation of a user as the person with the mail would: the user becomes active.

        Raises:
            ValueError: no invited user has this e-mail.
        """
        for user in self.platform.state.users.values():
            if user["email"].casefold() == email.casefold() and user["status"] == "pending_invite":
                self.platform.state.change(user, {"status": "active", "_accepted": True})
                return
        raise ValueError(f"no invited user has the e-mail {email!r}")

    def authorize(self, url: str, email: str = ADMIN_EMAIL, *, decision: Literal["allow", "deny"] = "allow") -> str:
        """Sign in and decide on an authorization request, as a person in a browser would.

        Args:
            url: Of the request, such as `redcore.login.authorization_request(...).url`.
            email: Of the person.
            decision: What the person chooses on the consent page.

        Returns:
            The address that the browser is sent back to, for `redcore.login.exchange_code`.

        Raises:
            ValueError: the platform would show an error page, or no active user has this e-mail.
        """
        with self._lock:
            return authorize(self.platform.state, url, email, is_allowed=decision == "allow")

    def browser(
        self, email: str = ADMIN_EMAIL, *, decision: Literal["allow", "deny"] = "allow"
    ) -> Callable[[str], None]:
        """Return a browser for `redcore.login.in_browser(open_browser=...)`, which does as `authorize` does.

        It follows the redirect to the program that waits on loopback, in a thread.
        """

        def visit(url: str) -> None:
            address = self.authorize(url, email, decision=decision)
            threading.Thread(target=follow, args=(address,), daemon=True).start()

        return visit

    def decide_device(
        self, user_code: str, email: str = ADMIN_EMAIL, *, decision: Literal["allow", "deny"] = "allow"
    ) -> None:
        """Enter the code that a device shows, and decide.

        Raises:
            ValueError: no device waits with this code, or no active user has this e-mail.
        """
        with self._lock:
            decide_device(self.platform.state, user_code, email, is_allowed=decision == "allow")

    def saml_assertion(self, email: str = ADMIN_EMAIL) -> bytes:
        """Return an assertion of an identity provider about a person, good for one use within five minutes.

        The fake accepts any assertion about an active user, and checks no signature; the server checks all of it.
        """
        return new_assertion(email, self.platform.state.now())

    # What a test says ------------------------------------------------------------------------

    def answer(self, operation: str, *values: Any) -> None:
        """Answer the next calls of an operation with these values, one each, whatever the state is.

        Args:
            operation: As the client spells it: `users.get`.
            values: A model, a dict of its fields, or a list of them for a listing; None for what answers nothing.

        Raises:
            ValueError: there is no such operation, or the spec does not allow the value.
        """
        found = self._operation(operation)
        self._script(found, operation, [answer_of(found, value) for value in values or (None,)])

    def fail(
        self,
        operation: str,
        *errors: type[RedcoreError] | RedcoreError | str,
        retry_after: int | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Refuse the next calls of an operation, one for each error.

        Args:
            operation: As the client spells it: `users.create`.
            errors: A class such as `DuplicateError` or `NetworkError`, or an error code such as `TOKEN_EXPIRED`.
            retry_after: `Retry-After` of each, in seconds.
            details: What is wrong, by field, for `ValidationError`.

        Raises:
            ValueError: there is no such operation, or no answer has this error.
        """
        found = self._operation(operation)
        steps = [error_of(error, retry_after=retry_after, details=details or {}) for error in errors]
        self._script(found, operation, steps)

    def inject(self, method: str | None, path: str, *faults: Fault) -> None:
        """Let the next matching requests fail, each by the next fault; see `Lab.inject`."""
        self.lab.inject(method, path, faults)

    def finish_runs(self) -> None:
        """Let every workflow run end now, and do its work."""
        with self._lock:
            for run in self.platform.state.runs.values():
                if run["status"] in {"queued", "running"}:
                    finish(self.platform.state, run)

    def hold_runs(self) -> None:
        """Let runs end only when `finish_runs` says so, not while a client waits for them."""
        self._runs_finish = False

    def assert_all_used(self) -> None:
        """Fail if a scripted answer, error or fault was not used; see `Lab.assert_all_used`."""
        self.lab.assert_all_used()

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests since the last reset, oldest first."""
        return list(self._seen)

    @property
    def outbox(self) -> list[Mail]:
        """The mails that were sent, oldest first."""
        return self.lab.outbox()

    def _operation(self, name: str) -> Operation:
        known = contract().operations
        found = known.get(name.replace(".", "_"))
        if found is None:
            from difflib import get_close_matches  # noqa: PLC0415 (only for this error)

            close = get_close_matches(name.replace(".", "_"), known, n=1)
            hint = f"; did you mean {close[0].replace('_', '.', 1)!r}?" if close else ""
            raise ValueError(f"there is no operation {name!r}{hint}")
        return found

    def _script(self, operation: Operation, name: str, steps: list[Any]) -> None:
        self.scripts.add(Script.of(operation.method, operation.glob, name, steps))


def follow(address: str) -> None:
    """Open an address on loopback, as a browser that is redirected; it shows a page of any status."""
    from urllib.error import HTTPError  # noqa: PLC0415 (for logins only)
    from urllib.request import urlopen  # noqa: PLC0415 (as above)

    with suppress(HTTPError), urlopen(address, timeout=10.0) as page:  # noqa: S310 (the application's own)
        page.read()
