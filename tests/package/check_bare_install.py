"""Run by `nox -s package` where the wheel is installed without extras: is it whole, and does it stay small?"""

from __future__ import annotations

import importlib.metadata
import sys
import zipfile
from pathlib import Path

FILES = {
    "redcore/py.typed",
    "redcore/_spec/models.py",
    "redcore_server/py.typed",
    "redcore_server/contract/redcore.yaml",
    "redcore_server/__main__.py",
}
PARTS = {
    "redcore_server/store/migrations/0001_initial.sql": "migrations",
    "redcore_server/store/queries/": "queries",
    "redcore_server/gateway/limits.lua": "Redis scripts",
    "redcore_server/mail/templates/": "templates",
}
BASE = {"anyio", "attr", "attrs", "cattrs", "certifi", "h11", "httpcore", "httpx", "idna", "msgspec", "redcore"}


def check_wheel(path: Path) -> None:
    names = set(zipfile.ZipFile(path).namelist())
    assert names >= FILES, f"the wheel lacks {FILES - names}"
    for beginning, what in PARTS.items():
        assert any(name.startswith(beginning) for name in names), f"the wheel lacks {what}"
    strange = [n for n in names if not n.startswith(("redcore/", "redcore_server/", "redcore_sdk-"))]
    assert not strange, f"the wheel holds {strange}"


def check_import() -> None:
    before = set(sys.modules)
    import redcore

    for name in redcore.__all__:  # each is loaded when it is asked for
        getattr(redcore, name)
    loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
    third = {name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert third <= BASE | {"typing_extensions", "sniffio"}, f"redcore loads {sorted(third - BASE)}"
    assert redcore.__version__ == importlib.metadata.version("redcore-sdk")
    assert not [name for name in sys.modules if name.startswith(("redcore.testing", "redcore_server"))]


def check_error() -> None:
    import redcore

    try:
        redcore.Client()
    except redcore.ConfigurationError as error:
        assert "REDCORE_API_KEY" in str(error)
    else:
        raise AssertionError("a client without credentials was made")


if __name__ == "__main__":
    check_wheel(Path(sys.argv[1]))
    check_import()
    check_error()
    print("1 passed: the bare wheel is whole and imports nothing of an extra")
