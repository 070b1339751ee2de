"""No request of the SDK violates the spec: every operation, in both colours, judged as it arrives at a server."""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.answers import META, USER
from tests.client.colours import Awaiting, Blocking, Colour
from tests.client.loopback import Loopback, Raw, Reply, Seen, pair, refusal, reply, stored, user
from tests.contract.extremes import DESCRIBED, SIZES, arguments, by_id
from tests.contract.judge import Judge

from redcore import (
    AsyncClient,
    Client,
    ConfigurationError,
    NotFoundError,
    RedcoreError,
    Scope,
    TokenSet,
    WorkflowRunStatus,
    login,
)

NOT_OF_THE_SDK = {"pages", "health"}
"""Operations for browsers and operators."""


class Platform:
    """Judges each request as it arrived, and answers it with tokens, or with a refusal."""

    def __init__(self) -> None:
        self.judge = Judge()
        self.judged = 0
        self.violations: list[str] = []
        self.answers: list[Reply | Raw] = []
        """What to answer first, in order."""

    def answer(self, seen: Seen) -> Reply | Raw:
        request = httpx.Request(
            seen.method, f"https://api.blueround.com{seen.path}", headers=dict(seen.headers), content=seen.body
        )
        request.read()
        try:
            self.judge.rule_request(request)
        except Exception as violation:  # noqa: BLE001 (whatever the judge says)
            self.violations.append(f"{violation}: {violation.__cause__}")
        self.judged += 1
        if self.answers:
            return self.answers.pop(0)
        return pair(1) if seen.path == "/oauth/token" else refusal(404, "RESOURCE_NOT_FOUND")


@pytest.fixture(scope="module")
def platform() -> Platform:
    return Platform()


@pytest.fixture(scope="module")
def server(platform: Platform) -> Iterator[Loopback]:
    with Loopback() as server:
        server.answer = platform.answer
        yield server


@pytest.fixture(scope="module")
def colours() -> Iterator[dict[str, Colour]]:
    with start_blocking_portal() as portal:
        yield {"sync": Blocking(), "asyncio": Awaiting("asyncio", portal)}


@pytest.fixture(params=["sync", "asyncio"])
def call(request: pytest.FixtureRequest, colours: dict[str, Colour]) -> Colour:
    return colours[request.param]


@pytest.fixture
def client(request: pytest.FixtureRequest, call: Colour, server: Loopback) -> Iterator[Any]:
    """A client with one kind of credentials."""
    options: Any = {"base_url": server.base_url, "max_retries": 0}
    expired = TokenSet(access_token="access-0", refresh_token="refresh-0", expires_at=0.0)
    kind = Client if call.name == "sync" else AsyncClient
    match request.param:
        case "key":
            made: Any = kind(api_key="rk_test_1", **options)
        case "application":
            made = kind(client_id="app_1", client_secret="s3cret", **options)
        case "person":
            made = kind.from_tokens(expired, client_id="app_1", client_secret="s3cret", **options)
        case _:
            made = kind.from_tokens(expired, client_id="app_1", **options)
    yield made
    call.close(made)


def kinds(name: str) -> list[str]:
    """Return the kinds of credentials that an operation accepts."""
    oauth = DESCRIBED[name](**arguments(name, "few")).auth == "client"
    if name == "auth_introspect":  # RFC 7662 section 2.1: by authenticated clients only
        return ["application", "person"]
    return ["application", "public"] if oauth else ["key", "application", "person", "public"]


def cases() -> Iterator[tuple[str, str, str]]:
    """Every operation with every kind of credentials, and at every size with one kind."""
    for name in DESCRIBED:
        first, *others = kinds(name)
        yield from ((name, size, first) for size in SIZES)
        yield from ((name, "few", kind) for kind in others)


@pytest.mark.parametrize(("name", "size", "client"), list(cases()), indirect=["client"])
def test_a_request_follows_the_spec(call: Colour, client: Any, platform: Platform, name: str, size: str) -> None:
    """Path, query, headers, body and credentials of each operation, whatever is asked for."""
    before = platform.judged

    with suppress(RedcoreError):  # it is refused, once it was judged
        call(client._execute, DESCRIBED[name](**arguments(name, size)))

    found, platform.violations = platform.violations, []
    assert found == []
    assert platform.judged > before


class Setting(str, Enum):  # noqa: UP042 (it is what applications have)
    """An enum of an application, whose members format as `Setting.ROLE`."""

    ROLE = "admin"
    WORKFLOW = "catalog_export"


INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
KEY: dict[str, Any] = {"name": "ci", "scopes": ["users:read"]}
AS_APPLICATIONS_HAVE_THEM: dict[str, Callable[[Any], tuple[Any, dict[str, Any]]]] = {
    "an enum in a query": lambda client: (client.users.list, {"role": Setting.ROLE}),
    "an enum in a path": lambda client: (client.workflows.run, {"name": Setting.WORKFLOW, "input": {"format": "csv"}}),
    "an enum in a body": lambda client: (client.users.create, {"email": "a@b.c", "name": "Ada", "role": Setting.ROLE}),
    "an enum of the SDK": lambda client: (client.workflows.list_runs, {"status": WorkflowRunStatus.QUEUED}),
    "a boolean": lambda client: (client.users.list, {"include_total": True}),
    "a time of another zone": lambda client: (
        client.api_keys.create,
        {**KEY, "expires_at": dt.datetime(2027, 1, 1, 5, 30, 0, 1, INDIA)},
    ),
    "the end of a key that has none": lambda client: (client.api_keys.create, {**KEY, "expires_at": None}),
    "a tuple": lambda client: (client.api_keys.create, {**KEY, "scopes": (Scope.USERS_READ, "users:write")}),
    "no name": lambda client: (client.files.upload, {"file": b"a", "name": None}),
    "no cursor": lambda client: (client.users.list, {"cursor": None, "q": None}),
    "an id of any text": lambda client: (client.users.get, {"user_id": "ada/lovelace @ü%"}),
    "nothing to send": lambda client: (client.workflows.cancel_run, {"run_id": "wfr_1"}),
    "nothing to change": lambda client: (client.users.update, {"user_id": "usr_1"}),
    "a compressed file": lambda client: (client.files.upload, {"file": b"", "name": "a.csv.gz"}),
}
"""Arguments that other projects have reported as sent in a form that their own spec refuses."""


@pytest.mark.parametrize("client", ["key"], indirect=True)
@pytest.mark.parametrize("name", AS_APPLICATIONS_HAVE_THEM)
def test_a_request_of_an_application_follows_the_spec(call: Colour, client: Any, platform: Platform, name: str) -> None:
    """Enums, times, empty values and ids as applications have them."""
    before = platform.judged
    method, given = AS_APPLICATIONS_HAVE_THEM[name](client)

    with pytest.raises(NotFoundError):  # once it was judged
        call(method, **given)

    found, platform.violations = platform.violations, []
    assert (found, platform.judged) == ([], before + 1)


CONTENT = b"0123456789" * 1000
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
CODES = {
    "device_code": "d",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://a/device",
    "expires_in": 900,
    "interval": 5,
}


def half(connection: socket.socket) -> None:
    """Send the first half of a file, and break the connection."""
    answer = Reply(200, CONTENT, {"ETag": ETAG}).encode()
    connection.sendall(answer[: -len(CONTENT) // 2])
    connection.shutdown(socket.SHUT_RDWR)


def rest() -> Reply:
    """The second half of the file."""
    start = len(CONTENT) // 2
    headers = {"ETag": ETAG, "Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"}
    return Reply(206, CONTENT[start:], headers)


def page(cursor: str | None) -> Reply:
    """A page of users, reached by cursor."""
    meta: dict[str, Any] = {**META, "limit": 1, "offset": 0, "total": 2, "next_cursor": cursor}
    return reply({"data": [USER], "meta": meta})


def patient(client: Any) -> Any:
    """A client that retries once."""
    return client.with_options(max_retries=1)


def run(status: str) -> Reply:
    """A run of a workflow."""
    fields = {
        "id": "wfr_1",
        "workflow": "catalog_export",
        "status": status,
        "progress": 0.5,
        "input": {},
        "result": None,
    }
    times = {"created_at": "2026-01-15T10:00:00Z", "started_at": None, "finished_at": None}
    return reply({"data": {**fields, "error": None, **times}, "meta": META})


def in_colour(call: Colour, name: str, *args: Any, **options: Any) -> Any:
    """Call a function of `redcore.login`."""
    return call(getattr(login, name if call.name == "sync" else f"{name}_async"), *args, **options)


def finish_login(call: Colour, server: Loopback) -> None:
    """Exchange the code of a redirect."""
    begun = login.authorization_request(client_id="app_1", redirect_uri="https://a/b?c=d", base_url=server.base_url)
    redirect = {"state": begun.state, "iss": begun.auth_url, "code": "4/0A?b&c"}
    in_colour(call, "exchange_code", begun, redirect)


def log_in_by_saml(call: Colour, server: Loopback) -> None:
    """Exchange an assertion."""
    options: Any = {"assertion": "<Assertion/>", "client_id": "app_1", "base_url": server.base_url}
    if call.name == "sync":
        Client.from_saml_assertion(**options).close()
    else:
        call.close(call(AsyncClient.from_saml_assertion, **options))


PENDING = reply({"error": "authorization_pending"}, 400)
OF_ITS_OWN: dict[str, tuple[list[Reply | Raw], Callable[[Colour, Any, Loopback], object]]] = {
    "a download that is resumed": (
        [half, rest()],
        lambda call, client, _: call(patient(client).files.download, "file_1"),
    ),
    "an iterator": ([stored(CONTENT)], lambda call, client, _: call(client.files.upload, file=iter([CONTENT]))),
    "a listing": ([page("next"), page(None)], lambda call, client, _: call.items(client.users.list_all(page_size=1))),
    "a run": ([run("running"), run("succeeded")], lambda call, client, _: call(client.workflows.wait, "wfr_1")),
    "any request": ([user()], lambda call, client, _: call(client.request, "PATCH", "/me", json={"name": "Ada"})),
    "a code": ([pair(1)], lambda call, _, server: finish_login(call, server)),
    "an assertion": ([pair(1)], lambda call, _, server: log_in_by_saml(call, server)),
    "a device": (
        [reply(CODES), PENDING, pair(1)],
        lambda call, _, server: in_colour(call, "on_device", prompt=str, client_id="app_1", base_url=server.base_url),
    ),
}
"""What the SDK asks beyond one operation that the application calls: the answers it gets, and what is done."""


@pytest.mark.usefixtures("redcore_time")
@pytest.mark.parametrize("client", ["key"], indirect=True)
@pytest.mark.parametrize("name", OF_ITS_OWN)
def test_what_the_sdk_asks_by_itself_follows_the_spec(
    call: Colour, client: Any, server: Loopback, platform: Platform, name: str
) -> None:
    """The rest of a file, other pages, the next poll, the grants of a login."""
    answers, ask = OF_ITS_OWN[name]
    platform.answers = answers.copy()
    before = platform.judged

    ask(call, client, server)

    found, platform.violations = platform.violations, []
    assert (found, platform.judged - before) == ([], len(answers))


@pytest.mark.parametrize("client", ["public"], indirect=True)
def test_a_request_that_would_violate_the_spec_is_not_sent(call: Colour, client: Any, platform: Platform) -> None:
    """Introspection needs a client secret, which public clients lack."""
    before = platform.judged

    with pytest.raises(ConfigurationError, match="auth_introspect needs client_secret"):
        call(client.auth.introspect, token="a-token")

    assert platform.judged == before


def test_every_operation_of_the_spec_is_judged() -> None:
    """The spec has no operation that the SDK lacks, but for those of browsers and operators."""
    assert set(DESCRIBED) == {name for name in by_id() if name.partition("_")[0] not in NOT_OF_THE_SDK}
