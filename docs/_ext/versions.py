"""Keeps versions of the manual side by side, and lets readers switch between them without another host.

Each build has a `versions.js` beside its pages that names this version alone. The command
`python docs/_ext/versions.py SITE BUILD...` makes one site of several builds, folders or zip archives, newest first:
that one is the root, each other has a folder named as its version, and all have the whole list. A script and not JSON,
because a page that is opened from disk cannot fetch.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:  # putting a site together takes no Sphinx
    from sphinx.application import Sphinx

Version: TypeAlias = dict[str, Any]
"""`name`, `folder` below the root of the site ("" is the root), and `pages`, to which a reader can be sent."""

FILE: Final = "versions.js"
PREFIX: Final = "window.REDCORE_VERSIONS = "
KEPT: Final = 5
"""Versions of a site: two minor versions and six months is how long what is deprecated works (docs/versioning.md)."""


def write(folder: Path, root: str, versions: Sequence[Version]) -> None:
    """Write the list for the pages of a folder, from which `root` leads to the root of the site."""
    listed = json.dumps({"root": root, "versions": versions})
    (folder / FILE).write_text(f"{PREFIX}{listed};\n", encoding="utf-8")


def read(folder: Path) -> Version:
    """The version that a build is of."""
    text = (folder / FILE).read_text(encoding="utf-8")
    (version,) = json.loads(text.removeprefix(PREFIX).rstrip(";\n"))["versions"]
    if not re.fullmatch(r"\d[\w.+-]*", version["name"]):
        raise ValueError(f"{version['name']!r} is not a version")
    return {**version}


def assemble(site: Path, builds: Sequence[Path]) -> list[Version]:
    """Make one site of builds, newest first; a second one of the same version is left out."""
    versions: list[Version] = []
    with TemporaryDirectory() as scratch:
        for number, build in enumerate(builds):
            folder = build
            if build.is_file():
                folder = Path(scratch, str(number))
                shutil.unpack_archive(build, folder, "zip")
            version = read(folder)
            if len(versions) == KEPT or version["name"] in [known["name"] for known in versions]:
                continue
            version["folder"] = f"{version['name']}/" if versions else ""
            shutil.copytree(folder, site / version["folder"], dirs_exist_ok=True)
            versions.append(version)
    for version in versions:
        write(site / version["folder"], "../" if version["folder"] else "./", versions)
    return versions


def list_itself(app: Sphinx, error: Exception | None) -> None:
    """Write the list of a build, which stands alone until it is part of a site."""
    if error is None and app.builder.format == "html":
        pages = sorted(app.builder.get_target_uri(page) for page in app.env.all_docs)
        write(Path(app.outdir), "./", [{"name": app.config.version, "folder": "", "pages": pages}])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook."""
    app.connect("build-finished", list_itself)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    for found in assemble(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]]):
        print(f"{found['name']}: /{found['folder']}")  # noqa: T201 (for the log of the pipeline)
