"""The platform as four processes on shared stores, used through the gateway by the SDK."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import httpx
import pytest
from tests.server.embedded.test_restart import postmaster
from tests.server.process.test_up import COMMAND, exported, run
from tests.server.support.ports import free_port
from tests.server.support.processes import eventually
from tests.server.support.tenants import Addresses

from redcore import AuthenticationError, Client
from redcore_server.data_folder import read_runtime

SIZE = 3 * 2**20


@contextlib.contextmanager
def role(
    name: str, *options: str, log: Path, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a role until the end of the block; yield its process and the line it prints when it is ready."""
    command = [*COMMAND, name, *options]
    with (
        log.open("a") as stderr,
        subprocess.Popen(  # noqa: S603 - our own
            command, stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready "), log.read_text()
            yield process, line.removeprefix("ready ").strip()
        finally:
            process.kill()


@attrs.frozen
class Platform:
    """The running processes, their addresses, and credentials of an organisation."""

    processes: Mapping[str, subprocess.Popen[str]]
    origins: Mapping[str, str]
    environment: Mapping[str, str]
    credentials: Mapping[str, str]
    folder: Path

    @property
    def origin(self) -> str:
        return self.origins["gateway"]

    def client(self, **options: object) -> Client:
        """A client with the API key, without retries."""
        return Client(
            base_url=f"{self.origin}/v1",
            api_key=self.credentials["REDCORE_API_KEY"],
            **{"max_retries": 0, **options},  # type: ignore[arg-type]
        )

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.origin}/readyz?stores")

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture(scope="module")
def platform(addresses: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("roles")
    port = free_port()
    environment = {
        "REDCORE_SERVER_DATABASE_URL": addresses.database_url,
        "REDCORE_SERVER_REDIS_URL": addresses.redis_url,
        "REDCORE_SERVER_DATA": str(folder / "data"),
        "REDCORE_SERVER_PORT": str(port),
        "REDCORE_SERVER_START_SECONDS": "60",  # a busy machine may not reach Redis within a second
    }
    with contextlib.ExitStack() as stack:
        processes, origins = {}, {}

        def start(name: str, *options: str) -> None:
            log = folder / f"{name}.log"
            started = role(name, *options, log=log, environment=environment)
            processes[name], origins[name] = stack.enter_context(started)

        start("auth", "--port", "0")
        start("api", "--port", "0")
        environment |= {"REDCORE_SERVER_AUTH_URL": origins["auth"], "REDCORE_SERVER_API_URL": origins["api"]}
        start("gateway")
        start("worker")
        credentials = exported(run("seed", **environment).stdout)
        yield Platform(processes, origins, environment, credentials, folder)


def test_every_service_is_ready(platform: Platform) -> None:
    """The gateway checks Redis and the others, these check their stores."""
    assert platform.ready().json() == {
        "status": "ok",
        "stores": {"redis": "ok"},
        "services": {"auth": "ok", "api": "ok"},
    }
    for name in ("auth", "api"):
        assert httpx.get(f"{platform.origins[name]}/healthz").json() == {"status": "ok"}
        ready = httpx.get(f"{platform.origins[name]}/readyz?stores").json()
        assert ready == {"status": "ok", "stores": {"postgres": "ok", "redis": "ok"}}


def test_the_api_counts_which_server_answered_its_reads(platform: Platform) -> None:
    """For operators, at the API's own address: without a replica, the primary."""
    with platform.client() as client:
        client.products.list()

    exposition = httpx.get(f"{platform.origins['api']}/metrics").text

    assert re.search(r'^redcore_reads_total\{server="primary"\} [1-9]', exposition, re.MULTILINE)


def test_a_user_is_created_and_invited(platform: Platform) -> None:
    """API and worker, each in its own process; the link leads to the gateway."""
    with platform.client() as client:
        user = client.users.create(email="ann@roles.example", name="Ann", role="viewer")
        assert eventually(lambda: client.users.get(user.id).invitation_sent_at is not None)

    mails = [file.read_text() for file in (platform.folder / "data" / "outbox").glob("*.eml")]
    (mail,) = [text for text in mails if "To: ann@roles.example" in text]  # others did not get theirs before
    assert f"{platform.origin}/oauth/invitations/" in mail


def test_files_stream_through(platform: Platform) -> None:
    """Both ways, whole, a part of one, and the head alone."""
    content = os.urandom(SIZE)
    with platform.client() as client:
        file = client.files.upload(file=io.BytesIO(content), name="noise.bin")
        received = client.files.download(file.id)
    address = f"{platform.origin}/v1/files/{file.id}/content"
    bearer = {"Authorization": f"Bearer {platform.credentials['REDCORE_API_KEY']}"}
    part = httpx.get(address, headers={**bearer, "Range": "bytes=10-19"})
    head = httpx.head(address, headers=bearer)

    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert received == content
    assert (part.status_code, part.content) == (206, content[10:20])
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(SIZE), b"")


def test_tokens_are_issued_and_revoked_at_once(platform: Platform) -> None:
    """The auth service issues, the gateway uses it, the API uses the stores."""
    form, auth = {"grant_type": "client_credentials"}, _application(platform)
    token = httpx.post(f"{platform.origin}/oauth/token", data=form, auth=auth).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    before = httpx.get(f"{platform.origin}/v1/users", headers=headers)
    assert httpx.post(f"{platform.origin}/oauth/revoke", data={"token": token}, auth=auth).status_code == 200
    after = httpx.get(f"{platform.origin}/v1/users", headers=headers)
    past_the_gateway = httpx.get(f"{platform.origins['api']}/v1/users", headers=headers)

    assert (before.status_code, after.status_code, past_the_gateway.status_code) == (200, 401, 401)
    assert after.json()["error"]["code"] == "INVALID_TOKEN"


def _application(platform: Platform) -> tuple[str, str]:
    return platform.credentials["REDCORE_CLIENT_ID"], platform.credentials["REDCORE_CLIENT_SECRET"]


def test_pages_pass_through_the_gateway(platform: Platform) -> None:
    """With their own policy, once, and the address of the gateway."""
    metadata = httpx.get(f"{platform.origin}/.well-known/oauth-authorization-server").json()
    page = httpx.get(f"{platform.origin}/oauth/device")

    assert metadata["issuer"] == platform.origin
    assert page.headers["Content-Type"].startswith("text/html")
    for name in ("X-Request-ID", "Date", "Content-Security-Policy", "Cache-Control"):
        assert len(page.headers.get_list(name)) == 1


def test_one_request_id_from_the_client_to_the_worker(platform: Platform) -> None:
    """Through every process that had a part in it."""
    with platform.client() as client:
        answer = client.raw.users.create(email="bob@example.com", name="Bob", role="viewer")

    request_id = answer.request_id
    assert request_id is not None
    assert eventually(lambda: request_id in platform.log("worker"))
    assert request_id in platform.log("gateway")


def test_the_principal_is_not_revealed_to_clients(platform: Platform) -> None:
    """The address exists behind the gateway only, and there it requires a token."""
    outside = httpx.post(f"{platform.origin}/internal/principal")
    inside = httpx.post(f"{platform.origins['auth']}/internal/principal")

    assert (outside.status_code, inside.status_code) == (404, 401)
    assert httpx.get(f"{platform.origins['auth']}/internal/principal").status_code == 405


def test_a_service_serves_no_other_endpoints(platform: Platform) -> None:
    """The API has no tokens, the auth service no users."""
    assert httpx.post(f"{platform.origins['api']}/oauth/token").status_code == 404
    assert httpx.get(f"{platform.origins['auth']}/v1/users").status_code == 404


def test_no_client_chooses_its_own_address(platform: Platform) -> None:
    """A client's X-Forwarded-For is replaced by the address that the gateway sees."""
    sent = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.7"}
    httpx.get(f"{platform.origin}/v1/nothing", headers=sent)

    assert eventually(lambda: "/v1/nothing" in platform.log("gateway"))
    assert "203.0.113.7" not in platform.log("gateway")


@pytest.mark.parametrize(("name", "path"), [("auth", "/v1/me"), ("auth", "/oauth/device"), ("api", "/v1/me")])
def test_a_service_that_is_down_is_a_503(platform: Platform, name: str, path: str) -> None:
    """Until it is back; a token that cannot be checked is not accepted."""
    with contextlib.closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = {**platform.environment, f"REDCORE_SERVER_{name.upper()}_URL": gone}
        with role("gateway", "--port", "0", log=platform.folder / "other.log", environment=environment) as (_, origin):
            headers = {"Authorization": f"Bearer {platform.credentials['REDCORE_API_KEY']}"}
            answer = httpx.get(f"{origin}{path}", headers=headers)
            ready = httpx.get(f"{origin}/readyz")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "temporarily unavailable" in answer.text  # in the envelope, or on a page
    assert (ready.status_code, ready.json()["services"][name]) == (503, "unavailable")


def test_a_wrong_key_is_refused(platform: Platform) -> None:
    """With the message of the auth service."""
    with (
        Client(base_url=f"{platform.origin}/v1", api_key="rk_test_wrong") as client,
        pytest.raises(AuthenticationError, match="The API key is not valid"),
    ):
        client.users.get_me()


def test_an_upload_that_its_client_gives_up_leaves_nothing(platform: Platform) -> None:
    """The API learns that the rest will not come."""

    def broken() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise ZeroDivisionError

    headers = {"Authorization": f"Bearer {platform.credentials['REDCORE_API_KEY']}"}
    with platform.client() as client:
        before = client.files.list()["meta"]["total"]
        with pytest.raises(ZeroDivisionError):
            httpx.post(f"{platform.origin}/v1/files", content=broken(), headers=headers)

        assert client.files.list()["meta"]["total"] == before


@pytest.mark.parametrize("name", ["worker", "gateway", "api", "auth"])
def test_a_role_ends_in_order(platform: Platform, name: str) -> None:
    """SIGTERM ends it with code 0."""
    options = () if name == "worker" else ("--port", "0")
    with role(name, *options, log=platform.folder / "stopped.log", environment=platform.environment) as (process, _):
        process.terminate()

        assert process.wait() == 0


def test_roles_find_the_stores_of_their_data_folder(tmp_path: Path) -> None:
    """`redcore-server stores` provides PostgreSQL and Redis for machines without them, and roles find them again.

    After a kill or a restart, also on other ports because theirs were taken meanwhile.
    """
    data = {"REDCORE_SERVER_DATA": str(tmp_path / "data")}
    with contextlib.ExitStack() as stack:
        with role("stores", log=tmp_path / "stores.log", environment=data) as (stores, first_line):
            assert first_line == "stores"
            auth = role("auth", "--port", "0", log=tmp_path / "auth.log", environment=data)
            _, origin = stack.enter_context(auth)
            assert _is_ready(origin)
            os.kill(postmaster(tmp_path / "data"), signal.SIGKILL)
            assert eventually(lambda: "started again" in (tmp_path / "stores.log").read_text())
            assert eventually(lambda: _is_ready(origin))
            stores.terminate()
            assert stores.wait() == 0
        before = read_runtime(tmp_path / "data")
        assert before is not None
        for port in (before.last_postgres_port, before.last_redis_port):
            stack.enter_context(socket.create_server(("127.0.0.1", port or 0)))
        stack.enter_context(role("stores", log=tmp_path / "stores.log", environment=data))

        assert eventually(lambda: _is_ready(origin))
    after = read_runtime(tmp_path / "data")
    assert after is not None
    assert after.last_postgres_port != before.last_postgres_port
    assert after.last_redis_port != before.last_redis_port


def _is_ready(origin: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        ready = httpx.get(f"{origin}/readyz?stores").json()
        return bool(ready["stores"] == {"postgres": "ok", "redis": "ok"})
    return False


@pytest.mark.parametrize(
    ("name", "environment", "message"),
    [
        ("worker", {}, "REDCORE_SERVER_DATABASE_URL is not set, and no store runs on"),
        ("gateway", {"LAB": "1"}, "REDCORE_SERVER_LAB works with `redcore-server up` only"),
        (
            "auth",
            {"PORT": "0", "DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"},
            "REDCORE_SERVER_PUBLIC_URL is not set",
        ),
        (
            "api",
            {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"},
            "PostgreSQL at 127.0.0.1:1/x cannot be used",
        ),
        (
            "gateway",
            {"PORT": "0", "DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"},
            "Redis at 127.0.0.1:1 cannot be used",
        ),
    ],
)
def test_a_role_that_cannot_start_says_why(
    tmp_path: Path, name: str, environment: Mapping[str, str], message: str
) -> None:
    """In one line, with code 2."""
    variables = {f"REDCORE_SERVER_{key}": value for key, value in environment.items()}
    options = () if name in {"worker", "gateway"} else ("--port", "0")

    done = run(name, *options, "--data", str(tmp_path), **variables)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
