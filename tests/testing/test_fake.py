"""The platform in process: behaviour beyond what the contract tests compare."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from redcore import (
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    DuplicateError,
    NetworkError,
    NotFoundError,
    PermissionError,  # noqa: A004 (the contract's name)
    RateLimitError,
    RedcoreError,
    RequestTimeoutError,
    ResponseError,
    User,
    ValidationError,
    WaitTimeoutError,
)
from redcore._base.runtime import TIME
from redcore.testing import FakeBlueRound, Fault, make
from redcore.testing._fake.contract import contract


@pytest.fixture
def fake() -> Iterator[FakeBlueRound]:
    with FakeBlueRound() as fake:
        yield fake


@pytest.fixture
def client(fake: FakeBlueRound) -> Client:
    return fake.client()


def test_a_client_made_before_the_fake_uses_it() -> None:
    """Applications make their client when they are imported."""
    client = Client(api_key="rk_test_of_the_fake_with_all_scopes")
    with FakeBlueRound():
        assert client.users.get_me().role == "admin"


def test_a_client_made_with_the_fake_stays_usable() -> None:
    """Afterwards it opens connections like any other, here to a port that is closed."""
    with FakeBlueRound() as fake:
        client = Client(base_url="http://127.0.0.1:1/v1", api_key="rk_test_of_the_fake_with_all_scopes", max_retries=0)
        assert client.users.get_me().role == "admin"

    with client, pytest.raises(NetworkError):
        client.users.get_me()
    assert fake.requests[-1].status == 200


def test_a_closed_client_sends_nothing_to_the_fake_either(fake: FakeBlueRound) -> None:
    """A call of a closed client is the same error as with the platform."""
    client = fake.client()
    client.close()

    with pytest.raises(RedcoreError, match="closed"):
        client.users.get_me()


@pytest.mark.parametrize("transport", [None, "direct", "httpcore", "aiohttp"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_transport_uses_the_fake(fake: FakeBlueRound, transport: Any, backend: str) -> None:
    """Whatever the transport, no connection is opened."""

    async def main() -> str:
        async with AsyncClient(**fake.arguments, transport=transport) as client:
            return (await client.users.get_me()).email

    assert anyio.run(main, backend=backend) == "admin@example.com"


def test_the_fake_starts_where_a_test_has_replaced_the_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pyfakefs does: the contract is read as code is imported."""

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    with monkeypatch.context() as replaced:
        replaced.setattr("io.open", missing)
        replaced.setattr("builtins.open", missing)
        read = contract.__wrapped__()

    assert read.scopes == contract().scopes


def test_the_environment_holds_both_credentials(fake: FakeBlueRound) -> None:
    """As that of the server, under the names that the SDK reads."""
    key, application = fake.arguments, fake.application

    assert fake.environment == {
        "REDCORE_BASE_URL": fake.base_url,
        "REDCORE_API_KEY": key["api_key"],
        "REDCORE_CLIENT_ID": application["client_id"],
        "REDCORE_CLIENT_SECRET": application["client_secret"],
    }


def test_a_call_without_an_event_loop_is_refused(fake: FakeBlueRound) -> None:
    """As over the network."""
    with pytest.raises(ConfigurationError, match="needs a running event loop of asyncio or trio"):
        fake.async_client().users.get_me().send(None)


def test_a_scripted_answer_is_used_once(fake: FakeBlueRound, client: Client) -> None:
    """One value for one call; then the state is used again."""
    fake.answer("users.get", make(User, id="usr_7", name="Ada"))

    assert client.users.get("usr_7").name == "Ada"
    with pytest.raises(NotFoundError):
        client.users.get("usr_7")


def test_a_scripted_list_is_a_page(fake: FakeBlueRound, client: Client) -> None:
    """A list is the page of a listing."""
    fake.answer("users.list", [make(User, id="usr_7"), make(User, id="usr_8")])

    page = client.users.list()

    assert ([user.id for user in page], page.meta.total) == (["usr_7", "usr_8"], 2)


def test_an_answer_that_the_spec_does_not_allow_is_refused(fake: FakeBlueRound) -> None:
    """A test cannot rely on an answer that the platform never gives."""
    with pytest.raises(ValueError, match=r"users_get: data\.email is required"):
        fake.answer("users.get", {"id": "usr_7"})


def test_an_unknown_operation_names_the_nearest(fake: FakeBlueRound) -> None:
    """A misspelt name is an error."""
    with pytest.raises(ValueError, match=r"there is no operation 'users.gett'; did you mean 'users.get'\?"):
        fake.answer("users.gett")


@pytest.mark.parametrize(
    "error", [DuplicateError, NotFoundError, ValidationError, NetworkError, RequestTimeoutError, ResponseError]
)
def test_a_scripted_error_is_raised(fake: FakeBlueRound, error: type[Exception]) -> None:
    """As the class, from the call."""
    fake.fail("users.create", error)  # type: ignore[arg-type]

    with pytest.raises(error):
        fake.client(max_retries=0).users.create(email="ada@example.com", name="Ada")


def test_a_scripted_error_by_its_code(fake: FakeBlueRound, client: Client) -> None:
    """Each code of the contract can be scripted; a retried one needs no waiting."""
    fake.fail("users.get_me", "SERVICE_UNAVAILABLE", "RATE_LIMIT_EXCEEDED", retry_after=30)

    assert client.users.get_me().role == "admin"
    assert [seen.status for seen in fake.requests] == [503, 429, 200]


def test_details_of_a_scripted_error(fake: FakeBlueRound, client: Client) -> None:
    """A form can be tested with the fields that the platform refuses."""
    fake.fail("users.create", ValidationError, details={"email": "is blocked"})

    with pytest.raises(ValidationError) as caught:
        client.users.create(email="ada@example.com", name="Ada")
    assert [(each.field, each.issue) for each in caught.value.details] == [("email", "is blocked")]


def test_scripted_answers_without_a_model(fake: FakeBlueRound, client: Client) -> None:
    """An operation without an answer is scripted without a value, and a download with its bytes."""
    fake.answer("users.delete")
    fake.answer("files.download", b"digits")

    client.users.delete("usr_gone")

    assert client.files.download("file_gone") == b"digits"


def test_an_error_of_the_test_is_raised_unchanged(fake: FakeBlueRound) -> None:
    """Also one that no answer of the platform makes."""
    error = NetworkError("the tunnel is closed")
    fake.fail("users.get_me", error)

    with pytest.raises(NetworkError) as caught:
        fake.client(max_retries=0).users.get_me()
    assert caught.value is error


@pytest.mark.parametrize("error", [RedcoreError, "NO_SUCH_CODE", WaitTimeoutError])
def test_an_error_that_the_platform_never_answers_is_refused(fake: FakeBlueRound, error: Any) -> None:
    """A test cannot rely on it."""
    with pytest.raises(ValueError, match="is neither an error class of the platform nor one of its error codes"):
        fake.fail("users.get", error)


def test_a_fault_with_a_body(fake: FakeBlueRound, client: Client) -> None:
    """JSON is sent as JSON, a text as a page, and a success without a body as an empty answer."""
    fake.inject("GET", "/v1/things", Fault(status=200, body={"n": 1}), Fault(status=204), Fault(status=200, body="<p>"))

    answers = [client.request("GET", "/things") for _ in range(3)]

    assert [(each.status_code, each.content) for each in answers] == [(200, b'{"n":1}'), (204, b""), (200, b"<p>")]
    assert answers[2].headers["content-type"] == "text/html"


def test_an_answer_that_is_delayed_within_the_timeout(fake: FakeBlueRound) -> None:
    """It arrives, and the clock has advanced by the delay."""
    fake.inject("GET", "/v1/me", Fault(delay=4))
    before = TIME.skipped_s

    assert fake.client(timeout=5).users.get_me().role == "admin"
    assert TIME.skipped_s - before == 4


def test_a_credential_ends_with_its_owner(fake: FakeBlueRound, client: Client) -> None:
    """A key of a person who is no longer active is refused."""
    key = client.api_keys.create(name="nightly", scopes=["users:read"]).key
    fake.platform.state.users[fake.platform.state.admin_id]["status"] = "inactive"

    with pytest.raises(AuthenticationError, match="INVALID_TOKEN"):
        fake.client(api_key=key).users.list()


def test_an_unused_script_is_named(fake: FakeBlueRound) -> None:
    """With its method and path, or the operation."""
    fake.answer("users.get", make(User))
    fake.inject("GET", "/v1/mee", Fault(status=503))

    with pytest.raises(AssertionError, match=r"GET users\.get: 1 not used\n  GET /v1/mee: 1 not used"):
        fake.assert_all_used()


def test_requests_show_query_headers_and_body_without_secrets(fake: FakeBlueRound) -> None:
    """Requests can be compared; secrets are hidden."""
    client = Client(**fake.application)
    client.users.create(email="ada@example.com", name="Ada")
    client.users.list(role="viewer", limit=5)

    token, created, listed = fake.requests

    assert token.body == {"grant_type": "client_credentials"}
    assert created.body == {"email": "ada@example.com", "name": "Ada"}
    assert listed.query == {"role": "viewer", "limit": "5"}
    assert [each.headers["authorization"] for each in (token, created)] == ["Basic ***", "Bearer ***"]
    assert "rcs_" not in repr(fake.requests)


def test_a_retry_after_of_zero_is_zero(fake: FakeBlueRound, client: Client) -> None:
    """0 is a value, not a missing one."""
    fake.inject("GET", "/v1/me", Fault(status=503, retry_after=0))
    before = TIME.skipped_s

    client.users.get_me()

    assert TIME.skipped_s == before


def test_waits_pass_at_once_on_the_clocks_of_both_sides(fake: FakeBlueRound, client: Client) -> None:
    """The back-off of an outage takes no time, and the platform sees the time pass."""
    fake.inject("GET", "/v1/me", Fault(status=503, retry_after=90))
    before = fake.platform.state.now()

    client.users.get_me()

    assert fake.platform.state.now() - before >= 90


def test_a_used_up_window_is_waited_for(fake: FakeBlueRound, client: Client) -> None:
    """Pacing waits for the next window, by the same clock."""
    fake.lab.limit_rate(requests_per_minute=2, requests_per_second=2)

    for _ in range(7):
        client.users.get_me()

    assert {seen.status for seen in fake.requests} == {200}


def test_a_full_window_is_a_429(fake: FakeBlueRound) -> None:
    """A client without pacing gets a 429 with Retry-After."""
    fake.lab.limit_rate(requests_per_minute=1, requests_per_second=1)
    client = fake.client(pacing=False, max_retries=0)
    client.users.get_me()

    with pytest.raises(RateLimitError) as caught:
        client.users.get_me()
    assert caught.value.retry_after is not None


def test_an_answer_delayed_past_the_timeout(fake: FakeBlueRound) -> None:
    """Nothing waits, and the error is a time-out."""
    fake.inject("GET", "/v1/me", Fault(delay=60))

    with pytest.raises(RequestTimeoutError):
        fake.client(timeout=5, max_retries=0).users.get_me()


def test_a_download_that_breaks_off_is_resumed(fake: FakeBlueRound, client: Client) -> None:
    """By a range, from where it stopped."""
    file = client.files.upload(file=b"0123456789", name="digits")
    fake.inject("GET", "/v1/files/*/content", Fault(truncate=True))

    assert client.files.download(file.id) == b"0123456789"
    assert [seen.status for seen in fake.requests][-2:] == [200, 206]


def test_a_run_finishes_when_the_test_says_so(fake: FakeBlueRound, client: Client) -> None:
    """Until then a wait ends in its time-out, at once."""
    fake.hold_runs()
    run = client.workflows.run("catalog_export")
    with pytest.raises(WaitTimeoutError):
        client.workflows.wait(run, timeout=30)

    fake.finish_runs()

    assert client.workflows.get_run(run.id).status == "succeeded"


@pytest.mark.parametrize(("is_partial", "status", "total"), [(False, "failed", 0), (True, "succeeded", 1)])
def test_an_import_checks_its_rows(client: Client, is_partial: bool, status: str, total: int) -> None:  # noqa: FBT001
    """All or nothing, unless `partial` is set."""
    file = client.files.upload(file=b"sku,name,price\nE-1,Engine,100\nE-2,,100\n", name="table.csv")

    run = client.workflows.run("catalog_import", input={"file_id": file.id, "partial": is_partial})

    assert client.workflows.wait(run).status == status
    assert client.products.list().meta.total == total


def test_documentation_is_published(client: Client) -> None:
    """From an existing archive; the result names its version."""
    archive = client.files.upload(file=b"PK", name="site.zip")

    published = client.workflows.wait(client.workflows.run("docs_publish", input={"file_id": archive.id}))
    failed = client.workflows.wait(client.workflows.run("docs_publish", input={"file_id": "file_none"}))

    assert published.result == {"version": archive.id, "path": "/docs/"}
    assert failed.error is not None
    assert failed.error.message == "File file_none does not exist."


def test_an_invitation_is_in_the_outbox(fake: FakeBlueRound, client: Client) -> None:
    """With its link."""
    client.users.create(email="ada@example.com", name="Ada")

    (mail,) = fake.outbox

    assert mail.to == "ada@example.com"
    assert mail.link
    assert mail.link in mail.text


def test_a_demoted_owner_limits_the_credential(fake: FakeBlueRound, client: Client) -> None:
    """No credential has more than its owner's role."""
    key = client.api_keys.create(name="nightly", scopes=["users:write"])
    fake.platform.state.users[fake.platform.state.admin_id]["role"] = "viewer"

    with pytest.raises(Exception, match="INSUFFICIENT_SCOPE"):
        Client(api_key=key.key).users.create(email="ada@example.com", name="Ada")


def test_time_is_real_again_after_the_fake() -> None:
    """The time that waits let pass is reset."""
    with FakeBlueRound() as fake:
        fake.inject("GET", "/v1/me", Fault(status=503, retry_after=90))
        fake.client().users.get_me()

    assert TIME.skipped_s == 0


def test_the_fake_opens_no_socket_and_starts_no_thread() -> None:
    """Not even for a name look-up."""
    code = """
import socket, sys, threading
from redcore.testing import FakeBlueRound
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith("socket.") else None)
with FakeBlueRound() as fake:
    client = fake.client()
    client.users.create(email="ada@example.com", name="Ada")
    client.files.download(client.files.upload(file=b"abc").id)
print(seen, threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    assert done.stdout.split() == ["[]", "1"]


def test_a_credential_is_described_to_its_holder(fake: FakeBlueRound, client: Client) -> None:
    """As on the platform: its scopes, and its expiry if it has one, in the headers of `/v1/me` alone."""
    ends = datetime(2040, 1, 31, tzinfo=UTC)
    made = client.api_keys.create(name="reader", scopes=["profile:read", "users:read"], expires_at=ends)
    of_key = fake.client(api_key=made.key).raw.users.get_me().headers
    of_seeded = client.raw.users.get_me().headers

    assert of_key["X-OAuth-Scopes"] == "profile:read users:read"
    assert of_key["X-Credential-Expires"] == str(int(ends.timestamp()))
    assert (of_seeded["X-OAuth-Scopes"], "X-Credential-Expires" in of_seeded) == ("admin", False)
    assert "X-OAuth-Scopes" not in client.raw.users.list().headers


def test_a_credential_is_described_where_it_may_not_read_its_owner(fake: FakeBlueRound, client: Client) -> None:
    """The 403 has the headers too."""
    made = client.api_keys.create(name="reader", scopes=["users:read"])
    with pytest.raises(PermissionError) as refusal:
        fake.client(api_key=made.key).users.get_me()

    assert refusal.value.response.headers["X-OAuth-Scopes"] == "users:read"
