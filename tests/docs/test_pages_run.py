"""Every block of Python and every command of README and docs runs as pasted, and prints what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
from importlib.metadata import metadata
from inspect import signature
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.docs.markdown_blocks import PAGES, REPOSITORY, Block, all_blocks, blocks

RUN_COMMANDS = ("redcore ", "redcore-server run -- python ", "python ", "curl ", "echo ", "cat ")
"""What is run against the server of the tests. Other commands are installations and servers, which tests/package and
tests/server start; here their words are checked."""
TRIED_ELSEWHERE = {"cli.md"}
"""Their commands need logins and files, which tests/cli brings."""
LANGUAGES = {"python", "console", "output", "toml", "ini", "yaml", "json", "html", "javascript"}


def pages_with(language: str) -> list[Path]:
    """The pages that have blocks in a language."""
    return [page for page in PAGES if blocks(page, language)]


def named(page: Path) -> str:
    """The name of a page in the report."""
    return str(page.relative_to(REPOSITORY))


def assert_output(block: Block, printed: str) -> None:
    """Compare what was printed with what the page shows, where `…` stands for anything in one line."""
    expected = "".join(
        ".*" if piece == "…" else re.escape(piece) for piece in re.split("(…)", (block.output or "").rstrip())
    )
    if not re.fullmatch(expected, printed.rstrip()):
        pytest.fail(f"{block} prints\n{printed}\nnot\n{block.output}", pytrace=False)


@pytest.mark.parametrize("page", pages_with("python"), ids=named)
def test_python_of_a_page_runs_in_order(
    page: Path, reader: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """Each block is a whole program: it runs in a namespace of its own, and what it defines as tests passes."""
    for block in blocks(page, "python"):
        if block.file:
            (reader / block.file).write_text(block.code, encoding="utf-8")
        program = "\n" * (block.line - 1) + block.code
        namespace: dict[str, Any] = {"__name__": "__main__"}
        with patch.dict(os.environ):  # what a block sets and deletes there is its own affair
            exec(compile(program, str(block.page), "exec"), namespace)  # noqa: S102 (that is the test)
        printed = capsys.readouterr().out
        if block.output is not None:
            assert_output(block, printed)
        for test in [found for name, found in namespace.items() if name.startswith("test_")]:
            request.getfixturevalue("redcore_lab").reset()
            test(**{name: request.getfixturevalue(name) for name in signature(test).parameters})


@pytest.mark.parametrize(
    "page", [page for page in pages_with("console") if page.name not in TRIED_ELSEWHERE], ids=named
)
def test_commands_of_a_page_run_in_order(page: Path, reader: Path) -> None:
    """What a page lets a reader type ends well, and prints what the page shows."""
    (reader / "your_program.py").write_text("import redcore\n", encoding="utf-8")
    for block in all_blocks(page):
        if block.file:
            (reader / block.file).write_text(block.code, encoding="utf-8")
    for block in blocks(page, "console"):
        for command in commands(block):
            if command.startswith(RUN_COMMANDS):
                ended = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True, timeout=60)  # noqa: S603, S607 (the page's own)
                assert ended.returncode == 0, f"{block}: {command}\n{ended.stdout}{ended.stderr}"
                if block.output is not None:
                    assert_output(block, ended.stdout)


def commands(block: Block) -> list[str]:
    """The commands of a block, which follow its prompts."""
    joined = block.code.replace("\\\n", "")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def test_every_block_is_in_a_language_that_is_tried() -> None:
    """A block of `shell` or `pycon` would not be run, so there is none."""
    odd = [
        str(block)
        for page in PAGES
        for block in all_blocks(page)
        if block.language not in LANGUAGES and not block.language.startswith("{")
    ]
    assert odd == []


def test_extras_that_pages_install_exist() -> None:
    """`pip install 'redcore-sdk[…]'` names extras of the package."""
    known = set(metadata("redcore-sdk").get_all("Provides-Extra") or ())
    named = {
        extra
        for page in PAGES
        for found in re.findall(r"redcore-sdk\[([\w,-]+)\]", page.read_text(encoding="utf-8"))
        for extra in found.split(",")
    }
    assert named
    assert named <= known


def test_sessions_that_pages_name_exist() -> None:
    """`nox -s NAME` is a session of noxfile.py."""
    sessions = set(
        re.findall(
            r'^(?:def |@nox.session\(name=")([\w-]+)',
            (REPOSITORY / "noxfile.py").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    texts = [page.read_text(encoding="utf-8") for page in (*PAGES, REPOSITORY / "CONTRIBUTING.md")]
    asked = {name for text in texts for name in re.findall(r"nox -s ([\w-]+)", text)}
    assert asked <= sessions
