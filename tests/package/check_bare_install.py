"""Run by `nox -s package` where the wheel is installed without extras: it is complete and small."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from collections.abc import Callable
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
BASE = {
    "anyio",
    "attr",
    "attrs",
    "cattrs",
    "certifi",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "msgspec",
    "redcore",
    "tenacity",
}

COMMANDS = {"redcore": "cli", "redcore-server": "server"}
"""Each command of the distribution, with the extra that it needs."""


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

    for name in redcore.__all__:  # each is loaded on first use
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


def commands() -> set[str]:
    """Return the commands that the distribution installs."""
    found = importlib.metadata.distribution("redcore-sdk").entry_points
    return {point.name for point in found if point.group == "console_scripts"}


def check_commands() -> None:
    """A command without its extra ends with code 2, and one line that names the extra."""
    assert commands() == set(COMMANDS)
    for name, extra in COMMANDS.items():
        command = str(Path(sys.executable).parent / name)
        done = subprocess.run([command], capture_output=True, text=True, check=False)  # noqa: S603 (our own)
        assert (done.returncode, done.stdout) == (2, ""), f"{name}: {done}"
        assert done.stderr.startswith(name), done.stderr
        assert done.stderr.endswith(f"needs its extra: pip install 'redcore-sdk[{extra}]'\n"), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def check_names() -> None:
    """A name that needs an extra says in one line which."""
    from redcore import AsyncClient, RedcoreError, testing
    from redcore.tokens import KeyringCache, RedisCache

    needs: dict[Callable[[], object], str] = {
        KeyringCache: "keyring",
        lambda: RedisCache("redis://127.0.0.1"): "redis",
        lambda: AsyncClient(api_key="rk_test_1", transport="aiohttp"): "aiohttp",
        lambda: testing.FakeBlueRound: "testing",
        testing.ReferenceServer().start: "server",
    }
    for use, extra in needs.items():
        try:
            use()
        except RedcoreError as error:
            assert f"{extra}]'" in str(error), error
            assert len(str(error).splitlines()) == 1, error
        else:
            raise AssertionError(f"nothing was said of the extra {extra}")


if __name__ == "__main__":
    check_wheel(Path(sys.argv[1]))
    check_import()
    check_error()
    check_commands()
    check_names()
    print("1 passed: the bare wheel is whole and imports nothing of an extra")
