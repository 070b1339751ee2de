"""Every block of Python of README and docs runs as pasted, and prints what the page shows."""

from __future__ import annotations

import os
import re
from importlib.metadata import metadata
from inspect import signature
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.docs.markdown_blocks import PAGES, REPOSITORY, all_blocks, assert_output, blocks, named, pages_with

LANGUAGES = {"python", "console", "output", "toml", "ini", "yaml", "json", "html", "javascript"}


@pytest.mark.parametrize("page", pages_with("python"), ids=named)
def test_python_of_a_page_runs_in_order(
    page: Path, reader: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """Each block is a whole program: it runs in a namespace of its own, and the tests it defines pass."""
    for block in blocks(page, "python"):
        if block.file:
            (reader / block.file).write_text(block.code, encoding="utf-8")
        program = "\n" * (block.line - 1) + block.code
        namespace: dict[str, Any] = {"__name__": "__main__"}
        with patch.dict(os.environ):  # a block may set and delete variables there
            exec(compile(program, str(block.page), "exec"), namespace)  # noqa: S102 (that is the test)
        printed = capsys.readouterr().out
        if block.output is not None:
            assert_output(block, printed)
        for test in [found for name, found in namespace.items() if name.startswith("test_")]:
            request.getfixturevalue("redcore_lab").reset()
            test(**{name: request.getfixturevalue(name) for name in signature(test).parameters})


@pytest.mark.parametrize("page", pages_with("python"), ids=named)
def test_a_page_says_where_its_programs_run(page: Path) -> None:
    """A page with a program that reads the environment says how to set it."""
    needs_a_server = re.compile(r"[^.]Client\(\)|REDCORE_BASE_URL")
    if any(needs_a_server.search(block.code) for block in blocks(page, "python")):
        assert "redcore-server run " in page.read_text(encoding="utf-8")


def test_code_of_pages_needs_no_scrolling() -> None:
    """A page shows 88 characters on a screen of 1280 pixels; docs/ruff.toml has the same for Python."""
    shown = {str(block): block.code + (block.output or "") for page in PAGES[1:] for block in all_blocks(page)}
    shown = {place: code for place, code in shown.items() if ":alt:" not in code}  # drawn
    shown |= {str(path): path.read_text(encoding="utf-8") for path in (REPOSITORY / "examples").glob("*.html")}
    wide = [f"{place}: {line}" for place, code in shown.items() for line in code.splitlines() if len(line) > 88]
    assert wide == []


def test_every_block_is_in_a_tested_language() -> None:
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


def test_readme_has_absolute_links_only() -> None:
    """PyPI shows it on another host, where a relative link or picture is broken."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", readme)
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []


def test_links_of_readme_lead_to_pages_and_files() -> None:
    """Its links to the repository are absolute, so the documentation build does not check them."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    pages = re.findall(r"https://docs\.blueround\.com/redcore/([^)]*)", readme)
    files = re.findall(r"https://(?:github|raw\.githubusercontent)\.com/blueround/redcore-sdk/([^)]+)", readme)
    sources = [
        *(REPOSITORY / "docs" / re.sub(r"(^|/)$", r"\1index.html", page).replace(".html", ".md") for page in pages),
        *(REPOSITORY / re.sub(r"^((tree|blob)/)?main/", "", file) for file in files),
    ]
    assert pages
    assert files
    assert [str(source) for source in sources if not source.exists()] == []
