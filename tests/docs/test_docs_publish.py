"""The documentation is published to the platform's own CDN by the command of the pipeline, and served there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from redcore.testing import ReferenceServer

SMALL = {
    "index.html": '<!doctype html><link rel="stylesheet" href="_static/style.css"><h1>Manual</h1>',
    "guide/index.html": "<!doctype html><h1>Guide</h1>",
    "_static/style.css": "h1 { color: teal }",
    "objects.inv": "# Sphinx inventory version 2",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The built documentation that `nox -s docs` names, otherwise a small site of the same kinds of files."""
    if built := os.environ.get("REDCORE_TEST_SITE"):
        return Path(built)
    for name, text in SMALL.items():
        path = tmp_path / "html" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "html"


def test_docs_publish_puts_every_file_of_a_site_under_docs(
    reader: Path, site: Path, redcore_server: ReferenceServer
) -> None:
    """`redcore docs publish` prints where the pages are, and each file is served there byte by byte."""
    command = [sys.executable, "-m", "redcore.cli", "docs", "publish", str(site), "--output", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    assert ended.returncode == 0, ended.stderr
    path = json.loads(ended.stdout)["result"]["path"]
    assert path.startswith("/docs/")
    with httpx.Client(base_url=redcore_server.origin + path, trust_env=False) as browser:
        assert browser.get("").content == (site / "index.html").read_bytes()
        files = [file for file in site.rglob("*") if file.is_file() and not file.name.startswith(".")]
        different = [
            name
            for file in files
            if browser.get(name := file.relative_to(site).as_posix()).content != file.read_bytes()
        ]
        assert different == []
        assert browser.get("index.html").headers["Content-Type"] == "text/html; charset=utf-8"
        assert browser.get("no-such-page.html").status_code == 404
