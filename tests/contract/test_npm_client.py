"""OAuth clients from npm complete their flows against the running server; `nox -s contract` installs them and node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.contract.people import Actor, Application, new_application

from redcore.testing import ReferenceServer

pytestmark = pytest.mark.npm
PACKAGES = "REDCORE_TEST_NPM"
TIMEOUT_S = 60
"""Time-out for node, which is killed then."""

Act = Callable[[dict[str, Any]], str]
"""Does what a person is asked to do, and returns what the application receives of it."""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the applications, beside the packages that they import."""
    packages = os.environ.get(PACKAGES)
    assert packages, f"{PACKAGES} must name the folder of the npm packages: run `nox -s contract`"
    for name in ("client.mjs", "more_clients.mjs"):
        shutil.copy(Path(__file__).with_name("node") / name, packages)
    return Path(packages)


@pytest.fixture
def run(script: Path, redcore_server: ReferenceServer) -> Callable[..., Mapping[str, Any]]:
    """Run one flow of an application; return its result."""

    def run(
        flow: str, application: Application, act: Act | None = None, program: str = "client.mjs"
    ) -> Mapping[str, Any]:
        environment = {
            **os.environ,
            "ISSUER": redcore_server.origin,
            "AUDIENCE": redcore_server.base_url,
            "CLIENT_ID": application.id,
            "CLIENT_SECRET": application.secret or "",
            "REDIRECT_URI": application.redirect_uri,
        }
        node = subprocess.Popen(  # noqa: S603 (our own script)
            ["node", script / program, flow],  # noqa: S607 (nox brings node)
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        return _converse(node, act)

    return run


def _converse(node: subprocess.Popen[str], act: Act | None) -> Mapping[str, Any]:
    assert node.stdin is not None
    assert node.stdout is not None
    assert node.stderr is not None
    with node:
        try:
            for line in node.stdout:
                said = json.loads(line)
                if "done" in said:
                    done: Mapping[str, Any] = said["done"]
                    return done
                assert act is not None, said
                print(act(said), file=node.stdin, flush=True)
            raise AssertionError(node.stderr.read())
        finally:
            if node.poll() is None:
                node.kill()


@pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
def test_logs_a_person_in_and_out(
    is_public: bool,  # noqa: FBT001 (a parameter of the test)
    run: Callable[..., Mapping[str, Any]],
    redcore_server: ReferenceServer,
    actor: Actor,
) -> None:
    """Discovery, code with PKCE, RFC 9068 validation, a call, refresh with rotation, revocation."""
    application = new_application(redcore_server, is_public=is_public)
    done = run("code", application, lambda said: actor.decide(said["open"]))
    assert done == {"sub": actor.person.id, "client_id": application.id, "scope": "users:read"}


def test_receives_a_refusal(
    run: Callable[..., Mapping[str, Any]], redcore_server: ReferenceServer, actor: Actor
) -> None:
    """A denied consent reaches the application as `access_denied`, from the right issuer."""
    application = new_application(redcore_server)
    assert run("denied", application, lambda said: actor.decide(said["open"], decision="deny")) == {}


def test_client_credentials(run: Callable[..., Mapping[str, Any]], redcore_server: ReferenceServer) -> None:
    """Client credentials, RFC 9068 validation, introspection, revocation of the access token."""
    application = new_application(redcore_server)
    done = run("client_credentials", application)
    assert done == {"sub": application.id, "scope": "products:read", "before": True, "after": False}


@pytest.mark.parametrize("is_typed", [True, False], ids=["typed code", "link with the code"])
def test_logs_a_person_in_on_a_device(
    is_typed: bool,  # noqa: FBT001 (a parameter of the test)
    run: Callable[..., Mapping[str, Any]],
    redcore_server: ReferenceServer,
    actor: Actor,
) -> None:
    """Device authorization, `authorization_pending`, `slow_down`, tokens once the person agreed, none a second time."""

    def agree(said: dict[str, Any]) -> str:
        visitor, address = actor.visitor, said["open"]
        if is_typed:
            address = visitor.fill(visitor.get(said["at"]), "device", user_code=said["enter"]).headers["Location"]
        done = visitor.fill(actor.open(address), "device-consent", decision="allow")
        assert done.status_code == 200, done.text
        redcore_server.lab.advance_clock(60)  # the device's polling interval
        return "agreed"

    done = run("device", new_application(redcore_server, is_public=True), agree)
    assert done == {"sub": actor.person.id, "scope": "users:read"}


@pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
@pytest.mark.parametrize(("library", "done"), [("openid", {"scope": "users:read"}), ("badgateway", {})])
def test_other_libraries_log_a_person_in_and_out(  # noqa: PLR0917 (fixtures)
    library: str,
    done: Mapping[str, Any],
    is_public: bool,  # noqa: FBT001 (a parameter of the test)
    run: Callable[..., Mapping[str, Any]],
    redcore_server: ReferenceServer,
    actor: Actor,
) -> None:
    """Discovery, code with PKCE, a call, refresh with rotation, revocation, by `openid-client` and `oauth2-client`."""
    application = new_application(redcore_server, is_public=is_public)

    assert run(f"{library}_code", application, lambda said: actor.decide(said["open"]), "more_clients.mjs") == done


@pytest.mark.parametrize("library", ["openid", "badgateway"])
def test_other_libraries_use_client_credentials(
    library: str, run: Callable[..., Mapping[str, Any]], redcore_server: ReferenceServer
) -> None:
    """Client credentials and introspection."""
    done = run(f"{library}_client_credentials", new_application(redcore_server), None, "more_clients.mjs")

    assert done == {"active": True, "scope": "products:read"}


def test_openid_client_logs_a_person_in_on_a_device(
    run: Callable[..., Mapping[str, Any]], redcore_server: ReferenceServer, actor: Actor
) -> None:
    """Device authorization, tokens once the person agreed."""

    def agree(said: dict[str, Any]) -> str:
        assert actor.visitor.fill(actor.open(said["open"]), "device-consent", decision="allow").status_code == 200
        return "agreed"

    done = run("openid_device", new_application(redcore_server, is_public=True), agree, "more_clients.mjs")
    assert done == {"scope": "users:read"}
