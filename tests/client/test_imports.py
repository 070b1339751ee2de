"""Modules that are loaded by importing the SDK and by making a call, each seen in a new interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.imports import folder_of

EXTRAS = {
    "keyring",
    "redis",
    "cryptography",
    "aiohttp",
    "opentelemetry",
    "click",
    "rich",
    "jq",
    "tomlkit",
    "pytest",
    "trio",
    "redcore_server",
}


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads in a new process."""
    probe = f"import sys; before = set(sys.modules)\n{statement}\nprint(*set(sys.modules) - before)"
    process = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True)  # noqa: S603
    return set(process.stdout.split())


def test_importing_redcore_loads_nothing_yet() -> None:
    """`import redcore` costs almost nothing until a name is used."""
    ours = {name for name in loaded_by("import redcore") if folder_of(name) == "redcore"}

    assert ours == {"redcore", "redcore._base", "redcore._base.version"}
    assert loaded_by("import redcore") & {"httpx", "httpcore", "anyio", "attrs", "msgspec", "asyncio", "ssl"} == set()


def test_importing_redcore_loads_no_login() -> None:
    """A program without logins does not load them."""
    assert [name for name in loaded_by("import redcore") if name.startswith(("redcore.login", "webbrow"))] == []


@pytest.mark.parametrize("name", ["exceptions", "hooks", "login", "options", "pagination", "testing", "tokens"])
def test_the_public_modules_need_no_import_of_their_own(name: str) -> None:
    """`import redcore` is enough for `redcore.exceptions.…`."""
    assert f"redcore.{name}" in loaded_by(f"import redcore; redcore.{name}")


CALL = """
import httpx, redcore
answer = httpx.Response(200, json={"data": [], "meta": dict(request_id="r", version="1", total=0, limit=1, offset=0)})
http_client = httpx.Client(transport=httpx.MockTransport(lambda request: answer))
redcore.Client(api_key="rk_test_1", http_client=http_client).users.list()
"""


def test_a_call_that_succeeds_loads_neither_cattrs_nor_tenacity() -> None:
    """Code for errors and retries is loaded when a call has failed, not before."""
    loaded = {name.partition(".")[0] for name in loaded_by(CALL)}

    assert "msgspec" in loaded
    assert loaded & {"cattrs", "cattr", "tenacity"} == set()


REFUSED = """
import os, redcore
for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"): os.environ.pop(name, None)
try: redcore.Client(api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0).users.list()
except redcore.NetworkError: pass
"""


def test_a_blocking_call_loads_no_other_http_library_and_no_event_loop() -> None:
    """Code for proxies, given clients, TLS and asyncio takes longer to load than all the rest."""
    loaded = loaded_by(REFUSED)

    assert "httptools" in loaded
    assert loaded & {"httpx", "httpcore", "h11", "asyncio", "trio", "certifi", "urllib.request", "lzma"} == set()


@pytest.mark.parametrize("module", ["redcore", "redcore.tokens"])
def test_the_public_names_load_no_extra(module: str) -> None:
    """The base install works alone: no module of an extra is even looked for, except by httpx itself."""
    loaded = loaded_by(f"import httpx; before |= set(sys.modules); from {module} import *")

    assert {folder_of(name) for name in loaded} & EXTRAS == set()


def test_opentelemetry_is_never_imported_by_the_client() -> None:
    """A call loads nothing of OpenTelemetry, though it is installed."""
    program = (
        "import sys; from redcore import Client, NetworkError\n"
        "try: Client(api_key='k', base_url='http://127.0.0.1:9/v1', max_retries=0).users.get('usr_1')\n"
        "except NetworkError: print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )

    process = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603

    assert process.stdout.strip() == "[]"
