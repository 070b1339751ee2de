"""`redcore-server up` as a person runs it: its start, its end, and what it says."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import attrs
import httpx
import pytest
from tests.server.support.processes import alive, descendants, eventually
from tests.server.support.tenants import Addresses

from redcore_server.data_folder import DataFolder

COMMAND = [sys.executable, "-m", "redcore_server"]
CANARY = "hunter2-canary"


@attrs.frozen
class Server:
    """A running `redcore-server up`."""

    process: subprocess.Popen[str]
    output: str
    environment: Mapping[str, str]

    @property
    def client(self) -> httpx.Client:
        """A client with the seeded API key."""
        headers = {"Authorization": f"Bearer {self.environment['REDCORE_API_KEY']}"}
        return httpx.Client(base_url=self.environment["REDCORE_BASE_URL"], headers=headers, timeout=60)


@contextlib.contextmanager
def up(data: Path, *options: str, **environment: str) -> Iterator[Server]:
    """Run the server until the end of the block."""
    command = [*COMMAND, "up", "--port", "0", "--data", str(data), *options]
    variables = {**os.environ, **environment}
    with (
        (data.parent / "log").open("a") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=variables) as process,  # noqa: S603 - our own
    ):
        try:
            assert process.stdout is not None
            output = ""
            while not output.startswith("ready ") and "\nready " not in output:
                line = process.stdout.readline()
                assert line, (data.parent / "log").read_text()
                output += line
            yield Server(process, output, exported((data / "credentials.env").read_text()))
        finally:
            process.kill()


def exported(lines: str) -> dict[str, str]:
    """Read `export` lines as a shell does."""
    words = shlex.split(lines, comments=True)
    return dict(word.split("=", 1) for word in words if word != "export")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(  # noqa: S603 - our own
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_up(data: Path) -> None:
    """It prints its address, the file to source and how to stop; the credentials work and are private."""
    with up(data) as server:
        base_url = server.environment["REDCORE_BASE_URL"]
        origin = base_url.removesuffix("/v1")
        assert server.output == (
            "RedCore reference server\n"
            f"  API          {base_url}\n"
            f"  Credentials  . {data}/credentials.env\n"
            "  PostgreSQL   embedded\n"
            "  Redis        embedded\n"
            f"  Data folder  {data}\n"
            f"  Mail         {origin}/outbox\n"
            "  Lab          off\n"
            f"  Stop         redcore-server stop --data {data}\n"
            f"ready {origin}\n"
        )
        assert stat.S_IMODE((data / "credentials.env").stat().st_mode) == 0o600
        with server.client as client:
            me = client.get("me")
            assert (me.status_code, me.json()["data"]["role"]) == (200, "admin")
            token = client.post(
                f"{origin}/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(server.environment["REDCORE_CLIENT_ID"], server.environment["REDCORE_CLIENT_SECRET"]),
            )
            assert token.status_code == 200
            assert set(token.json()["scope"].split()) >= {"admin", "users:read", "files:write"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stop(data: Path, how: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it with code 0, and everything below it."""
    with up(data) as server:
        below = descendants(server.process.pid)
        server.process.send_signal(how)

        assert server.process.wait() == 0
        assert alive(below) == set()


@contextlib.contextmanager
def slow_request(server: Server, delay_s: float) -> Iterator[Future[httpx.Response]]:
    """Make a request that the lab delays, and yield once the server has it."""
    origin = server.environment["REDCORE_BASE_URL"].removesuffix("/v1")
    rule = {"path": "/v1/me", "faults": [{"delay": delay_s}]}
    with server.client as client, ThreadPoolExecutor() as threads:
        assert client.post(f"{origin}/lab/faults", json=rule).status_code == 204
        answer = threads.submit(client.get, "me")
        assert eventually(lambda: httpx.get(f"{origin}/lab/requests").json() != [])
        yield answer


def test_stop_answers_requests_under_way(data: Path) -> None:
    """A slow request from before SIGTERM is answered; then the server ends."""
    with up(data, "--lab") as server, slow_request(server, delay_s=2) as answer:
        server.process.terminate()

        assert answer.result().status_code == 200
        assert server.process.wait() == 0


def test_stop_does_not_wait_forever(data: Path) -> None:
    """A request that takes longer than the setting allows gets an answer that may be retried."""
    with (
        up(data, "--lab", REDCORE_SERVER_DRAIN_SECONDS="1") as server,
        slow_request(server, delay_s=600) as answer,
    ):
        server.process.terminate()

        assert answer.result().status_code == 500
        assert server.process.wait() == 0


def test_stop_tells_load_balancers_first(data: Path) -> None:
    """For the time of a setting `/readyz` reports it and requests are answered; a second signal ends it at once."""
    with up(data, REDCORE_SERVER_STOP_NOTICE_SECONDS="600") as server, server.client as client:
        origin = server.environment["REDCORE_BASE_URL"].removesuffix("/v1")
        server.process.terminate()

        assert eventually(lambda: client.get(f"{origin}/readyz").json()["status"] == "draining")
        assert client.get("me").status_code == 200
        assert server.process.poll() is None
        server.process.terminate()
        assert server.process.wait() == 0


def test_tls(data: Path) -> None:
    """The SDK trusts the certificate that the summary names; plain HTTP is redirected."""
    with up(data, "--tls") as server:
        base_url = server.environment["REDCORE_BASE_URL"]
        assert f"  Certificate  export SSL_CERT_FILE={data}/tls/ca.pem\n" in server.output
        assert base_url.startswith("https://127.0.0.1:")
        plain = httpx.get(base_url.replace("https:", "http:") + "/me")
        assert (plain.status_code, plain.headers["Location"]) == (301, f"{base_url}/me")
        variables = {**os.environ, **server.environment, "SSL_CERT_FILE": str(data / "tls" / "ca.pem")}
        probe = "from redcore import Client\nwith Client() as client: print(client.users.get_me().role)"
        call = subprocess.run([sys.executable, "-c", probe], env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - our own
        assert (call.returncode, call.stderr) == (0, "")
        server.process.terminate()
        assert server.process.wait() == 0


@pytest.mark.parametrize(("trusted", "seen"), [("127.0.0.0/8, 10.0.0.1", "203.0.113.7"), ("10.0.0.1", "127.0.0.1")])
def test_trusted_proxies(data: Path, trusted: str, seen: str) -> None:
    """Only those that are configured may name the address of a client, in whichever form they are named themselves."""
    with up(data, REDCORE_SERVER_TRUSTED_PROXIES=trusted) as server, server.client as client:
        client.get("me", headers={"X-Forwarded-For": "203.0.113.7, ::ffff:10.0.0.1", "X-Forwarded-Proto": "https"})
        server.process.terminate()
        server.process.wait()

    lines = map(json.loads, (data.parent / "log").read_text().splitlines())
    assert [line["client"] for line in lines if line["event"] == "request"] == [seen]


def test_stop_while_starting(data: Path) -> None:
    """Ctrl-C before it is ready is an orderly end, too."""
    with subprocess.Popen([*COMMAND, "up", "--port", "0", "--data", str(data)]) as process:  # noqa: S603
        assert eventually((data / "runtime.json").exists)
        below = descendants(process.pid)
        process.send_signal(signal.SIGINT)

        assert process.wait() == 0
        assert eventually(lambda: alive(below) == set())


def test_kill_and_restart(data: Path) -> None:
    """`kill -9` leaves no process; restarted on its folder the server has lost no token and no row."""
    with up(data) as server, server.client as client:
        created = client.post("products", json={"name": "Lamp", "sku": "L-1", "price": 100, "stock": 1})
        assert created.status_code == 201
        token = client.post(
            server.environment["REDCORE_BASE_URL"].removesuffix("v1") + "oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(server.environment["REDCORE_CLIENT_ID"], server.environment["REDCORE_CLIENT_SECRET"]),
        ).json()
        below = descendants(server.process.pid)
        server.process.kill()
        server.process.wait()
        assert eventually(lambda: alive(below) == set())

    with up(data) as server, server.client as client:
        found = client.get("products").json()["data"]
        assert found == [created.json()["data"]]
        assert server.environment["REDCORE_API_KEY"] in client.headers["Authorization"]
        refreshed = client.post(
            server.environment["REDCORE_BASE_URL"].removesuffix("v1") + "oauth/token",
            data={"grant_type": "refresh_token", "refresh_token": token["refresh_token"]},
            auth=(server.environment["REDCORE_CLIENT_ID"], server.environment["REDCORE_CLIENT_SECRET"]),
        )
        assert refreshed.status_code == 200


def test_killed_right_after_the_answer(data: Path) -> None:
    """Of users whose 201 was the last answer before a kill, each gets exactly one invitation after the restart."""
    with up(data) as server, server.client as client:
        users = []
        for number in range(5):
            answer = client.post("users", json={"email": f"ann{number}@example.com", "name": "Ann", "role": "viewer"})
            assert answer.status_code == 201
            users.append(answer.json()["data"]["id"])
        server.process.kill()
        server.process.wait()

    with up(data) as server, server.client as client:

        def all_sent() -> bool:
            invited = client.get("users", params={"status": "pending_invite"}).json()["data"]
            return {user["id"] for user in invited if user["invitation_sent_at"]} == set(users)

        assert eventually(all_sent)

    mails = [path.read_text() for path in (data / "outbox").iterdir()]
    recipients = sorted(line for mail in mails for line in mail.splitlines() if line.startswith("To: "))
    assert recipients == [f"To: ann{number}@example.com" for number in range(5)]


def test_credentials_follow_the_port(data: Path) -> None:
    """The second start keeps the credentials and names the new address."""
    with up(data) as first:
        before = first.environment
    with up(data) as second, second.client as client:
        assert client.get("me").status_code == 200
        base_url = second.environment["REDCORE_BASE_URL"]
    assert second.environment == {**before, "REDCORE_BASE_URL": base_url}


def test_seed_beside_a_running_server(data: Path) -> None:
    """`seed` makes another organisation, whose key sees nothing of the first."""
    with up(data) as server:
        done = run("seed", "--data", str(data), "--organisation", "Second")
        assert (done.returncode, done.stderr) == (0, "")
        second = exported(done.stdout)
        assert second["REDCORE_BASE_URL"] == server.environment["REDCORE_BASE_URL"]
        assert second["REDCORE_API_KEY"].startswith("rk_test_")
        users = [
            httpx.get(f"{second['REDCORE_BASE_URL']}/users", headers={"Authorization": f"Bearer {key}"}).json()
            for key in (server.environment["REDCORE_API_KEY"], second["REDCORE_API_KEY"])
        ]
    assert [answer["meta"]["total"] for answer in users] == [1, 1]
    assert users[0]["data"] != users[1]["data"]


def test_seed_without_a_server(data: Path) -> None:
    """`seed` starts the database for a moment; a server that starts later knows the credentials."""
    done = run("seed", "--data", str(data))

    assert (done.returncode, done.stderr) == (0, "")
    with up(data) as server, server.client as client:
        assert server.environment["REDCORE_API_KEY"] == exported(done.stdout)["REDCORE_API_KEY"]
        assert client.get("me").status_code == 200


def test_seed_prints_credentials_that_it_cannot_write(data: Path, addresses: Addresses) -> None:
    """A missing data folder costs the file, not the committed credentials."""
    done = run("seed", "--data", str(data / "not" / "there"), REDCORE_SERVER_DATABASE_URL=addresses.database_url)

    assert done.returncode == 0
    assert exported(done.stdout)["REDCORE_API_KEY"].startswith("rk_test_")


def test_migrate(data: Path) -> None:
    """`migrate` names what it applied, and nothing the second time."""
    first = run("migrate", "--data", str(data))
    second = run("migrate", "--data", str(data))

    assert "0001_initial" in first.stdout.splitlines()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def refused(message: str, *arguments: str, **environment: str) -> None:
    """Check that `up` ends with code 2 and one line that holds the message and no password."""
    done = run("up", *arguments, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("redcore-server: ")
    assert message in done.stderr
    assert CANARY not in done.stderr


def test_port_in_use(data: Path) -> None:
    """A port in use is named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused(
            f"port {port} on 127.0.0.1 is in use; stop the program that uses it, or choose another with --port",
            *("--port", str(port), "--data", str(data)),
        )
    assert not data.exists()


def test_unknown_host(data: Path) -> None:
    """A host that is not this machine is named."""
    refused("cannot listen on 192.0.2.1 port 0: Cannot assign requested", "--host", "192.0.2.1", "--port", "0")
    assert not data.exists()


def test_data_folder_in_use(data: Path) -> None:
    """A second server on the same folder is refused."""
    with contextlib.closing(DataFolder(data)):
        refused("another redcore-server is running on the data folder", "--port", "0", "--data", str(data))


def test_data_folder_is_a_file(data: Path) -> None:
    """A file in the data folder's place is named."""
    data.touch()
    refused(f"the data folder {data} is a file", "--port", "0", "--data", str(data))


@pytest.mark.parametrize(
    ("variable", "url", "message"),
    [
        ("DATABASE_URL", f"postgresql://me:{CANARY}@127.0.0.1:1/x", "PostgreSQL at 127.0.0.1:1/x cannot be used"),
        ("REDIS_URL", f"redis://:{CANARY}@127.0.0.1:1/0", "Redis at 127.0.0.1:1/0 cannot be used"),
        ("REDIS_URL", f"redis+cluster://:{CANARY}@127.0.0.1:1", "Redis at 127.0.0.1:1 cannot be used"),
        ("SMTP_URL", f"http://me:{CANARY}@mail", "REDCORE_SERVER_SMTP_URL must start with smtp://"),
    ],
)
def test_wrong_url(data: Path, variable: str, url: str, message: str) -> None:
    """A store or mail server that cannot be used is named without its password."""
    refused(message, "--port", "0", "--data", str(data), **{f"REDCORE_SERVER_{variable}": url})


def test_no_secret_in_output(data: Path) -> None:
    """Nothing the server prints or logs holds a credential, a token or a link."""
    with up(data) as server, server.client as client:
        origin = server.environment["REDCORE_BASE_URL"].removesuffix("/v1")
        secrets = [server.environment["REDCORE_API_KEY"], server.environment["REDCORE_CLIENT_SECRET"]]
        application = (server.environment["REDCORE_CLIENT_ID"], server.environment["REDCORE_CLIENT_SECRET"])
        token = client.post(f"{origin}/oauth/token", data={"grant_type": "client_credentials"}, auth=application)
        secrets += [token.json()["access_token"], token.json()["refresh_token"]]
        client.post("users", json={"email": "ann@example.com", "name": "Ann", "role": "viewer"})
        assert eventually(lambda: any((data / "outbox").glob("*.eml")))
        (mail,) = (data / "outbox").glob("*.eml")
        secrets += [line.rpartition("/")[2] for line in mail.read_text().splitlines() if line.startswith(origin)]
        server.process.terminate()
        server.process.wait()

    output = server.output + "".join(path.read_text() for path in [data.parent / "log", *data.glob("*.log")])
    assert len(secrets) == 5
    assert '"invitation_sent"' in output
    assert [secret for secret in secrets if secret in output] == []
