"""An earlier version of the server, to run beside this one on one schema."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MIGRATIONS = "reference_server/redcore_server/store/migrations"


@contextlib.contextmanager
def earlier_version() -> Iterator[tuple[str, str]]:
    """Yield the name of the version before the newest migration, and the folders to import it from.

    It does not know the schema that this version has migrated to, as a node during an upgrade.
    """
    newest = _git("log", "-1", "--diff-filter=A", "--format=%H", "--", MIGRATIONS)
    name = _git("rev-parse", "--short", f"{newest}^")
    with tempfile.TemporaryDirectory(prefix="redcore-earlier-") as folder:
        archive = subprocess.run(["git", "-C", ROOT, "archive", name], check=True, capture_output=True)  # noqa: S603, S607
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)  # noqa: S603, S607
        yield name, os.pathsep.join([f"{folder}/src", f"{folder}/reference_server"])


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout.strip()
