"""The doctor finds what is wrong, says what to do, and exits with 1 if anything fails."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from tests.cli.conftest import Outcome, Run

from redcore.cli.doctor import network
from redcore.cli.doctor.finding import Finding, folded, marked
from redcore.cli.doctor.local import address, credentials, keyring, settings
from redcore.cli.profiles import Profiles, folder
from redcore.cli.state import State
from redcore.cli.vault import in_file
from redcore.testing import Lab, ReferenceServer
from redcore.tokens import TokenSet


def levels(outcome: Outcome) -> dict[str, str]:
    """Return the level of each check."""
    return {finding["check"]: finding["level"] for finding in outcome.json}


def advice(outcome: Outcome, check: str) -> str:
    """Return the advice of a finding."""
    return str(next(finding["advice"] for finding in outcome.json if finding["check"] == check))


def test_findings_have_their_advice_below(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The level comes first, so that failures are easily found."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_test_" + "k3" * 20)
    outcome = cli("doctor")

    lines = outcome.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("failure login"))
    assert outcome.code == 1
    assert lines[0].startswith("ok      versions     redcore ")
    assert lines[at + 1].startswith(" " * 21 + "Check REDCORE_API_KEY")


def test_a_narrow_terminal_has_the_text_below_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of text does not fit."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "30")
    finding = Finding("clock", "failure", "600 s ahead of the server's", "Set the clock of this machine.")

    assert marked(finding, in_colour=False).splitlines() == [
        "failure clock",
        "  600 s ahead of the server's",
        "  Set the clock of this",
        "  machine.",
    ]


def test_a_healthy_set_up_has_no_failure(cli: Run) -> None:
    """Exit code 0; every check is there; no secret is printed."""
    outcome = cli("doctor", "--json")

    assert (outcome.code, "failure" in levels(outcome).values()) == (0, False)
    assert {
        "versions",
        "settings",
        "address",
        "credentials",
        "keyring",
        "name",
        "connection",
        "health",
        "clock",
        "login",
        "scopes",
        "rate limit",
    } <= levels(outcome).keys()
    assert "rk_test_" not in outcome.out + outcome.err


def test_a_wrong_key_is_found(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform refuses it."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_test_" + "k3" * 20)
    outcome = cli("doctor", "--json")

    assert (outcome.code, levels(outcome)["login"]) == (1, "failure")
    assert "REDCORE_API_KEY" in advice(outcome, "login")


def test_an_address_without_v1_is_found(cli: Run, redcore_server: ReferenceServer) -> None:
    """The advice has the right address."""
    outcome = cli("doctor", "--json", "--base-url", redcore_server.origin)

    assert (outcome.code, levels(outcome)["address"]) == (1, "failure")
    assert f"{redcore_server.origin}/v1" in advice(outcome, "address")


def test_an_unreachable_host_is_found(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later checks are skipped."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_test_" + "k3" * 20)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = run_cli("doctor", "--json", "--base-url", f"http://127.0.0.1:{port}/v1")

    assert (outcome.code, levels(outcome)["connection"]) == (1, "failure")
    assert "health" not in levels(outcome)


def test_no_login_is_found(run_cli: Run, redcore_server: ReferenceServer) -> None:
    """The advice says how to log in."""
    outcome = run_cli("doctor", "--json", "--base-url", redcore_server.base_url)

    assert levels(outcome)["credentials"] == "failure"
    assert "redcore auth login" in advice(outcome, "credentials")


@contextmanager
def answering(status: int, headers: dict[str, str]) -> Iterator[str]:
    """A server that gives the same answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (as its base class has it)
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def test_an_unavailable_platform_is_found(run_cli: Run) -> None:
    """The advice is to wait."""
    with answering(503, {"X-Request-ID": "r", "Date": "yesterday"}) as url:
        outcome = run_cli("doctor", "--json", "--base-url", url)

    assert (levels(outcome)["health"], levels(outcome)["clock"]) == ("failure", "warning")
    assert advice(outcome, "health") == "Try again later."


def test_an_unknown_host_name_is_found(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later checks are skipped."""

    def not_found(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", not_found)
    outcome = run_cli("doctor", "--json", "--base-url", "https://api.example.invalid/v1")

    assert (outcome.code, levels(outcome)["name"]) == (1, "failure")
    assert "connection" not in levels(outcome)


def test_a_proxy_variable_that_is_not_a_url_is_found(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice names the variable."""
    monkeypatch.setenv("HTTPS_PROXY", "socks9://127.0.0.1:1")
    outcome = run_cli("doctor", "--json", "--base-url", "https://api.example.com/v1")

    assert (outcome.code, levels(outcome)["proxy"]) == (1, "failure")
    assert advice(outcome, "proxy") == "Set the variable to the URL of a proxy, or unset it."


def test_another_server_than_the_api_is_found(run_cli: Run) -> None:
    """A page of something else answers, or a proxy in its place."""
    with answering(200, {"Content-Type": "text/html"}) as url:
        assert levels(run_cli("doctor", "--json", "--base-url", url))["health"] == "failure"


def test_a_proxy_that_drops_requests_is_found(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding names the proxy, without its password."""
    with answering(502, {}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("http://", "http://me:secret-word@").removesuffix("/v1"))
        outcome = run_cli("doctor", "--json", "--base-url", "https://api.example.com/v1")

    assert levels(outcome)["health"] == "failure"
    assert proxy.removesuffix("/v1") in advice(outcome, "health")
    assert "secret-word" not in outcome.out


def test_a_socks_proxy_that_is_away_is_found(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check goes the way of calls, which need no package for SOCKS."""
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret-word@127.0.0.1:9")
    outcome = run_cli("doctor", "--json", "--base-url", "https://api.example.com/v1")

    assert (outcome.code, levels(outcome)["health"]) == (1, "failure")
    assert "socks5://127.0.0.1:9" in advice(outcome, "health")
    assert "secret-word" not in outcome.out


@pytest.mark.parametrize(
    ("ahead_s", "level"), [(0, "ok"), (45, "warning"), (-45, "warning"), (600, "failure"), (-600, "failure")]
)
def test_a_wrong_clock_is_found(ahead_s: float, level: str) -> None:
    """Ten minutes are a failure, in both directions."""
    date = "Thu, 26 Nov 2026 05:00:00 GMT"
    assert network.clock(date, 1795669200.0 + ahead_s).level == level


def test_a_certificate_of_an_unknown_authority_is_found(tmp_path: Path) -> None:
    """The finding has the words of the TLS library."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    with serving_tls(certificate, tmp_path) as port:
        found = network.certified("127.0.0.1", port)

    assert (found.level, "certificate" in found.found) == ("failure", True)


def test_the_names_and_the_expiry_of_a_certificate_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the certificate authorities that calls trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with serving_tls(authority.issue_cert("127.0.0.1"), tmp_path) as port:
        found = network.certified("127.0.0.1", port)

    assert (found.level, "127.0.0.1" in found.found) == ("ok", True)


def test_a_certificate_that_expires_soon_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the number of days left."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=3, hours=1))
    with serving_tls(certificate, tmp_path) as port:
        found = network.certified("127.0.0.1", port)

    assert (found.level, found.advice) == ("warning", "It ends in 3 days.")


def test_a_server_without_tls_at_an_https_address_is_found(run_cli: Run) -> None:
    """The platform is then not called."""
    with answering(200, {}) as url:
        outcome = run_cli("doctor", "--json", "--base-url", url.replace("http://", "https://"))

    assert (outcome.code, levels(outcome)["certificate"]) == (1, "failure")
    assert advice(outcome, "certificate") == "Is it an https address?"
    assert "health" not in levels(outcome)


@contextmanager
def serving_tls(certificate: trustme.LeafCert, folder: Path) -> Iterator[int]:
    """A TLS server that takes one connection."""
    import ssl  # noqa: PLC0415 (for this server alone)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                return  # the doctor refused the certificate

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_production_key_on_staging_is_found(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_live_" + "k3" * 20)
    monkeypatch.setenv("REDCORE_ENVIRONMENT", "staging")

    assert credentials(State()).level == "failure"


def test_a_test_key_on_production_is_found(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It works, but on other data than intended."""
    monkeypatch.setenv("REDCORE_API_KEY", "rk_test_" + "k3" * 20)

    assert credentials(State()).level == "warning"


def test_unreadable_settings_are_found(config_dir: Path) -> None:
    """The advice names two ways to correct them."""
    config_dir.mkdir()
    (config_dir / "config.toml").write_text("x = [")
    found = settings(State())

    assert (found.level, found.advice) == ("failure", "Mend the file, or delete it and log in again.")


@pytest.mark.parametrize("url", ["api.blueround.com", "ftp://api.blueround.com/v1", "https://api.blueround.com"])
def test_an_invalid_address_is_found(url: str, config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a failure that shows the expected form."""
    monkeypatch.setenv("REDCORE_BASE_URL", url)

    assert (address(State()).level, bool(address(State()).advice)) == ("failure", True)


def test_a_misspelt_variable_is_named(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no effect, which is otherwise easy to miss."""
    monkeypatch.setenv("REDCORE_BASEURL", "http://127.0.0.1:9/v1")
    outcome = run_cli("doctor", "--json", "--base-url", "http://127.0.0.1:9/v1")

    assert "REDCORE_BASEURL" in advice(outcome, "settings")


def test_an_expired_token_is_found(run_cli: Run, redcore_server: ReferenceServer, redcore_lab: Lab) -> None:
    """The session's refresh is refused: the advice is to log in."""
    address = redcore_server.base_url
    profiles = Profiles(folder())
    profiles.change("default", {"base_url": address, "origin": redcore_server.origin, "storage": "file"})
    expired = TokenSet(access_token="at_expired", refresh_token="rt_expired", expires_at=1.0)
    in_file(folder(), "default").write(expired)
    outcome = run_cli("doctor", "--json")

    assert (outcome.code, levels(outcome)["login"]) == (1, "failure")
    assert "redcore auth login" in advice(outcome, "login")
    assert "at_expired" not in outcome.out + outcome.err
    assert "rt_expired" not in outcome.out + outcome.err


def test_a_locked_keyring_is_found(run_cli: Run, redcore_server: ReferenceServer) -> None:
    """It is a failure if the login of the profile is in it, and a warning otherwise."""
    elsewhere = levels(run_cli("doctor", "--json", "--base-url", redcore_server.base_url))["keyring"]
    Profiles(folder()).change("default", {"storage": "keyring", "base_url": redcore_server.base_url})
    outcome = run_cli("doctor", "--json")

    assert (elsewhere, levels(outcome)["keyring"]) == ("warning", "failure")
    assert "Unlock the keyring" in advice(outcome, "keyring")


def test_a_machine_that_can_store_no_login_is_found(config_dir: Path) -> None:
    """Neither in a keyring nor in a file."""
    config_dir.mkdir()
    (config_dir / "credentials.json").mkdir()
    found = keyring(State())

    assert (found.level, found.advice) == ("failure", "Logins cannot be kept; set REDCORE_API_KEY.")


def test_long_findings_are_wrapped_below_their_column() -> None:
    """Words stay whole."""
    assert folded("one two three", 9, 3) == "one\n   two\n   three"
