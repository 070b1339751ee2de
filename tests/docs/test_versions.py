"""Versions of the manual in one site, as the pipeline puts them together before `redcore docs publish`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.markdown_blocks import REPOSITORY

PREFIX = "window.REDCORE_VERSIONS = "


def built(folder: Path, name: str, *pages: str) -> Path:
    """Return the pages of one version, with the list that Sphinx writes beside them."""
    for page in pages:
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(f"{name} {page}", encoding="utf-8")
    alone = {"root": "./", "versions": [{"name": name, "folder": "", "pages": list(pages)}]}
    (folder / "versions.js").write_text(f"{PREFIX}{json.dumps(alone)};\n", encoding="utf-8")
    return folder


def assembled(site: Path, *builds: Path) -> subprocess.CompletedProcess[str]:
    """Assemble a site by the command of .github/workflows/docs.yml."""
    command = [sys.executable, str(REPOSITORY / "docs" / "_ext" / "versions.py"), str(site), *map(str, builds)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (ours)


def listed(folder: Path) -> tuple[str, list[tuple[str, str]]]:
    """Return what the pages of a folder know: the way to the root, names and folders."""
    text = (folder / "versions.js").read_text(encoding="utf-8")
    found = json.loads(text.removeprefix(PREFIX).rstrip(";\n"))
    return found["root"], [(version["name"], version["folder"]) for version in found["versions"]]


def test_newest_version_is_the_root_and_others_have_folders(tmp_path: Path) -> None:
    """Links to the manual stay valid, and each page knows all versions; archives of releases are unpacked."""
    newest = built(tmp_path / "html", "0.2.0", "index.html", "guide/new.html")
    older = shutil.make_archive(str(tmp_path / "docs-0.1.0"), "zip", built(tmp_path / "old", "0.1.0", "index.html"))
    site = tmp_path / "site"

    ended = assembled(site, newest, Path(older))

    assert (ended.returncode, ended.stdout) == (0, "0.2.0: /\n0.1.0: /0.1.0/\n")
    assert (site / "guide" / "new.html").read_text(encoding="utf-8") == "0.2.0 guide/new.html"
    assert (site / "0.1.0" / "index.html").read_text(encoding="utf-8") == "0.1.0 index.html"
    assert listed(site) == ("./", [("0.2.0", ""), ("0.1.0", "0.1.0/")])
    assert listed(site / "0.1.0") == ("../", [("0.2.0", ""), ("0.1.0", "0.1.0/")])


def test_first_build_of_a_version_counts_and_five_are_kept(tmp_path: Path) -> None:
    """The current build takes the place of the release of its version; versions older than five are dropped."""
    current = built(tmp_path / "html", "0.6.0", "index.html", "current.html")
    releases = [built(tmp_path / f"r{minor}", f"0.{minor}.0", "index.html") for minor in (6, 5, 4, 3, 2, 1)]

    assembled(tmp_path / "site", current, *releases)

    assert [name for name, _ in listed(tmp_path / "site")[1]] == ["0.6.0", "0.5.0", "0.4.0", "0.3.0", "0.2.0"]
    assert (tmp_path / "site" / "current.html").exists()


@pytest.mark.parametrize("name", ["../up", "api", ""])
def test_an_invalid_version_is_refused(tmp_path: Path, name: str) -> None:
    """It would be a folder of the site, perhaps one of its pages."""
    ended = assembled(tmp_path / "site", built(tmp_path / "html", name, "index.html"))

    assert ended.returncode == 1
    assert f"{name!r} is not a version" in ended.stderr
    assert not (tmp_path / "site").exists()
