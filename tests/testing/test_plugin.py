"""The plugin in an application's test run: each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from redcore.testing import ReferenceServer
from redcore.testing.plugin import known_platform

MEASURED = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
FIXTURES = """
import pytest
from redcore import Client, ServerError
from redcore.testing import Fault

def test_client(redcore_client, redcore_outbox):
    redcore_client.users.create(email="ada@example.com", name="Ada")
    assert [mail.to for mail in redcore_outbox()] == ["ada@example.com"]

def test_data_are_fresh(redcore_client):
    assert len(redcore_client.users.list()) == 1

async def ask(client):
    async with client:
        return await client.users.get_me()

def test_async_client(redcore_async_client):
    import asyncio
    assert asyncio.run(ask(redcore_async_client)).role == "admin"

def test_faults(redcore_client, redcore_faults):
    redcore_faults("GET", "/v1/me", *[Fault(status=503)] * 3)
    with pytest.raises(ServerError):
        redcore_client.users.get_me()

def test_clock(redcore_platform, redcore_clock):
    with Client(**redcore_platform.application) as client:
        client.users.get_me()
        redcore_clock(3700)
        client.users.get_me()

@pytest.mark.redcore("fake")
def test_marker(redcore_platform):
    assert type(redcore_platform).__name__ == "FakeBlueRound"
"""
UNUSED = """
from redcore.testing import Fault

def test_lab(redcore_client, redcore_faults):
    redcore_faults("GET", "/v1/mee", Fault(status=503))
    redcore_client.users.get_me()
"""
RUNNING = """
from redcore import Client

def test_running(redcore_client, redcore_platform, redcore_outbox):
    redcore_client.users.create(email="ada@example.com", name="Ada")
    assert redcore_platform.base_url == redcore_platform.arguments["base_url"]
    with Client(**redcore_platform.application) as client:
        assert [user.name for user in client.users.list(q="ada")] == ["Ada"]
"""
PRODUCTION = """
from redcore import Client

def test_production():
    Client(api_key="rk_test_key").users.get_me()
"""
IMPORTS = """
import sys

def test_imports():
    mine = {name for name in sys.modules if name.startswith("redcore") and name.count(".") > 0}
    shell = {"redcore._base", "redcore._base.version"}  # for `redcore.__version__`
    assert mine <= {"redcore.testing", "redcore.testing.plugin", *shell}, mine
    assert not {"httpx", "msgspec", "anyio", "jsonschema_rs"} & sys.modules.keys()
"""

LOADERS = """
import sys
from importlib.machinery import SourceFileLoader

def test_loaders(redcore_client):
    ours = {name: each for name, each in sys.modules.items() if name.startswith("redcore.") and each.__spec__.origin}
    rewritten = [name for name, each in ours.items() if type(each.__spec__.loader) is not SourceFileLoader]
    assert "redcore.client" in ours
    assert set(rewritten) <= {"redcore.testing", "redcore.testing.plugin"}
"""


def run(
    folder: Path, content: str, *options: str, variables: Mapping[str, str] = MEASURED
) -> subprocess.CompletedProcess[str]:
    """Run pytest on one file, without the settings of this project and without other plugins."""
    (folder / "test_it.py").write_text(content)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "redcore.testing.plugin", *options, "test_it.py"]
    return subprocess.run(  # noqa: S603 (ours)
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "", **variables},
    )


def test_all_fixtures_work_on_the_fake(tmp_path: Path) -> None:
    """The fake is the default."""
    done = run(tmp_path, FIXTURES)
    assert "6 passed" in done.stdout, done.stdout


def test_an_unused_fault_fails_the_test(tmp_path: Path) -> None:
    """With its method and path."""
    done = run(tmp_path, UNUSED)
    assert done.returncode == 1
    assert done.stdout.count("GET /v1/mee: 1 not used") == 1


@pytest.mark.parametrize("name", ["serverr", "127.0.0.1:4010"])
def test_a_platform_that_there_is_not(name: str) -> None:
    """A misspelt one is a usage error that lists the others."""
    with pytest.raises(pytest.UsageError, match=f"no platform '{name}'; give fake, server, or the URL of one"):
        known_platform(name)


def test_a_running_server_is_given_by_its_address(tmp_path: Path, redcore_server: ReferenceServer) -> None:
    """Its credentials are those of the environment, as `redcore-server seed` prints them."""
    done = run(
        tmp_path,
        RUNNING,
        f"--redcore={redcore_server.base_url}",
        variables={**MEASURED, **redcore_server.environment},
    )
    assert "1 passed" in done.stdout, done.stdout


def test_missing_credentials_of_a_running_server_are_named(tmp_path: Path, redcore_server: ReferenceServer) -> None:
    """With the command that prints them."""
    done = run(tmp_path, RUNNING, f"--redcore={redcore_server.base_url}")
    assert "REDCORE_API_KEY is not set; `redcore-server seed` prints the credentials" in done.stdout
    assert done.returncode == 1


def test_production_is_refused_if_the_settings_say_so(tmp_path: Path) -> None:
    """In one error that says what to do."""
    done = run(tmp_path, PRODUCTION, "-o", "redcore_no_network=true")
    assert "a test called api.blueround.com, which redcore_no_network forbids" in done.stdout
    assert done.returncode == 1


def test_the_plugin_imports_nothing_of_the_sdk_before_a_fixture_is_asked_for(tmp_path: Path) -> None:
    """The plugin costs nothing if it is only installed."""
    done = run(tmp_path, IMPORTS)
    assert "1 passed" in done.stdout, done.stdout


def test_pytest_compiles_nothing_of_the_sdk(tmp_path: Path) -> None:
    """Otherwise it would rewrite the assertions of every module, also of those that a conftest.py imports."""
    (tmp_path / "conftest.py").write_text("from redcore import Client")
    done = run(tmp_path, LOADERS)
    assert "1 passed" in done.stdout, done.stdout
