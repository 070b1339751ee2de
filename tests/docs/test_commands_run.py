"""Every command of README and docs runs as pasted, and prints what the page shows; those that do not say why."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest
from tests.docs.markdown_blocks import PAGES, Block, all_blocks, assert_output, blocks, named, pages_with
from tests.server.support.identity_provider import identity_provider

from redcore import Client
from redcore.cli.app import run
from redcore.testing import ReferenceServer
from redcore_server.data_folder import read_runtime
from redcore_server.settings import from_environment

NOT_RUN = {
    "pip install ": "`nox -s package` installs the wheel with each extra",
    "python3 -m venv ": "CI types README's commands; the tutorial's needs ensurepip, which README's do without",
    "redcore auth login --profile staging": "opens a browser at another platform; tests/cli logs in by browser",
    "pytest --redcore=server": "tests/testing runs it, with the start of a server that it takes",
    "export ": "names hosts of other people; the settings are read below",
    "redcore-server up": "does not end: run below",
    "redcore-server auth": "does not end: run below",
    "redcore-server api": "does not end: run below",
    "redcore-server worker": "does not end: run below",
    "redcore-server gateway": "does not end: run below",
}
ORIGIN = "http://127.0.0.1:4010"
TIMEOUT_S = 60


@pytest.fixture
def pasted(reader: Path, redcore_server: ReferenceServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Create what pages assume to exist; return the values that stand for their object names."""
    monkeypatch.setenv("REDCORE_SERVER_DATA", str(redcore_server.data))
    monkeypatch.setenv("REDCORE_CONFIG_DIR", str(reader / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    files = {
        "your_program.py": "import redcore\n",
        "metadata.xml": identity_provider("https://idp.example.com/metadata").metadata(),
        "key.txt": os.environ["REDCORE_API_KEY"],
        "report.pdf": "%PDF-1.7",
        "notes/monday.txt": "nothing",
        "logs/today.log": "nothing",
        "catalog.csv": "name,sku,price,stock\nEngine,ENG-7,100,1\n",
        "_build/html/index.html": "<!doctype html><title>Manual</title>",
    }
    for name, text in files.items():
        (reader / name).parent.mkdir(parents=True, exist_ok=True)
        (reader / name).write_text(text, encoding="utf-8")
    return {ORIGIN: redcore_server.origin}


@pytest.fixture
def objects(pasted: dict[str, str], redcore_server: ReferenceServer) -> dict[str, str]:
    """The same with an object for each id that docs/cli.md shows."""
    with Client(**redcore_server.api_key) as client:
        file = client.files.upload(file=b"report", name="report.txt")
        export = client.workflows.run("catalog_export")
        prices = [client.products.create(name=name, sku=name, price=100).id for name in ("prod_4711", "prod_4712")]
    return {**pasted, "prod_4711": prices[0], "prod_4712": prices[1], "file_4711": file.id, "wfr_4711": export.id}


@pytest.mark.parametrize("page", pages_with("console"), ids=named)
def test_commands_of_a_page_run_in_order(
    page: Path, reader: Path, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    """The commands that a page shows succeed, and print what the page shows."""
    substitutes: dict[str, str] = request.getfixturevalue("objects" if page.name == "cli.md" else "pasted")
    for block in all_blocks(page):
        if block.file:
            (reader / block.file).write_text(block.code, encoding="utf-8")
    if page.name != "README.md":  # whose programs show that a server is started; the others use that of the tests
        substitutes["redcore-server run -- "] = ""
    for block in blocks(page, "console"):
        for command in commands(block):
            if not command.startswith(tuple(NOT_RUN)):
                printed = typed(command, substitutes, block, capfd)
                if block.output is not None:
                    assert_output(block, printed)


def typed(command: str, substitutes: dict[str, str], block: Block, capfd: pytest.CaptureFixture[str]) -> str:
    """Run a command as a reader would, without a terminal; return its output."""
    for shown, real in substitutes.items():
        command = command.replace(shown, real)
    words = shlex.split(command, comments=True)
    if words[0] == "redcore" and not {"|", "<", ">"} & set(words):  # in this process: twenty starts take long
        capfd.readouterr()
        code = run(words[1:])
        printed, problem = capfd.readouterr()
    else:
        shell = ["bash", "-o", "pipefail", "-c", command]
        ended = subprocess.run(  # noqa: S603 (the page's own)
            shell, stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        code, printed, problem = ended.returncode, ended.stdout, ended.stderr
    assert code == 0, f"{block}: {command}\n{printed}{problem}"
    return printed


def commands(block: Block) -> list[str]:
    """Return the commands of a block, which follow its prompts."""
    joined = block.code.replace("\\\n", "")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def commands_of_server_page(start: str) -> list[str]:
    """Return the commands of docs/server.md that start with this."""
    (page,) = (page for page in PAGES if page.name == "server.md")
    return [each for block in blocks(page, "console") for each in commands(block) if each.startswith(start)]


@contextmanager
def running(command: str) -> Iterator[IO[str]]:
    """Run a command that ends on the signal of Ctrl-C; yield its output."""
    words = [*command.partition("#")[0].split(), "--port", "0"]
    if words[1] == "worker":
        del words[-2:]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603 (the page's own)
    assert child.stdout is not None
    try:
        yield child.stdout
        child.send_signal(signal.SIGINT)
        assert child.wait(TIMEOUT_S) in {0, 130}
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.usefixtures("reader")
def test_up_prints_the_summary_that_the_page_shows(tmp_path: Path) -> None:
    """Line by line, except for folder and port, and Ctrl-C, which only a terminal has; it ends with `ready ORIGIN`."""
    (page,) = (page for page in PAGES if page.name == "server.md")
    block = next(block for block in blocks(page, "console") if "$ redcore-server up\n" in block.code)
    shown = block.code.partition("$ redcore-server up\n")[2].splitlines()
    with running("redcore-server up") as output:
        printed = [output.readline().rstrip() for _ in shown]
    origin = printed[-1].removeprefix("ready ")
    ours = [line.replace(origin, ORIGIN).replace(str(tmp_path), "/home/ada") for line in printed]
    assert [line for line in ours if "  Stop " not in line] == [line for line in shown if "  Stop " not in line]


def test_roles_run_beside_each_other(
    reader: Path, redcore_server: ReferenceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command of the section prints that it is ready, on stores that the variables name."""
    stores = read_runtime(redcore_server.data)
    assert stores is not None
    monkeypatch.setenv("REDCORE_SERVER_DATABASE_URL", str(stores.database_url))
    monkeypatch.setenv("REDCORE_SERVER_REDIS_URL", str(stores.redis_url))
    monkeypatch.setenv("REDCORE_SERVER_PUBLIC_URL", "https://api.example.com")
    monkeypatch.setenv("REDCORE_SERVER_START_SECONDS", "60")  # a busy machine may not reach Redis within a second
    roles = [
        each
        for role in ("auth", "api", "worker", "gateway")
        for each in commands_of_server_page(f"redcore-server {role}")
    ]
    assert len(roles) == 4
    with ExitStack() as stack:
        outputs = [stack.enter_context(running(role)) for role in roles]
        assert [output.readline().split()[0] for output in outputs] == ["ready"] * 4


def test_exported_settings_are_read() -> None:
    """Each `export REDCORE_SERVER_…` of the page is a setting with a valid value."""
    exports = [
        found
        for line in commands_of_server_page("export ")
        for found in re.findall(r"(REDCORE_SERVER_\w+)=(\S+)", line)
    ]
    assert exports
    for name, value in exports:
        from_environment({name: value.replace("://…", "://127.0.0.1/0").replace("…", "secret")})
