"""Where a `FileCache` is, also without a home folder."""

from __future__ import annotations

import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from tests.client.loopback import Loopback, pair, user

from redcore import Client
from redcore.exceptions import TokenCacheError
from redcore.tokens import FileCache, TokenSet

PAIR = TokenSet(access_token="access-1", refresh_token="refresh-1")


def test_the_default_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """If no path is given, it is where the system keeps such files."""
    monkeypatch.setattr(platformdirs, "user_state_dir", lambda name: str(tmp_path / name))

    assert FileCache().path == tmp_path / "redcore" / "tokens.json"


def test_a_relative_path_is_resolved_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may change its working folder, as daemons do."""
    monkeypatch.chdir(tmp_path)
    cache = FileCache("tokens.json")
    cache.set("k", PAIR)

    monkeypatch.chdir("/")

    assert (cache.get("k"), cache.path) == (PAIR, tmp_path / "tokens.json")


class TestWithoutHome:
    @pytest.fixture(params=[None, "", "relative"], ids=["unset", "empty", "relative"])
    def homeless(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """A user without home or passwd entry; yields the working folder."""

        def unknown(_: int) -> None:
            raise KeyError("uid not found")

        for name in ("HOME", "XDG_STATE_HOME"):
            monkeypatch.delenv(name, raising=False)
            if request.param is not None:
                monkeypatch.setenv(name, request.param)
        monkeypatch.setattr("pwd.getpwuid", unknown)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    @pytest.mark.skipif(os.name != "posix", reason="this system finds homes otherwise")
    @pytest.mark.parametrize("path", [None, "~/tokens.json"])
    def test_nothing_is_stored_in_the_working_folder(self, homeless: Path, path: str | None) -> None:
        """The cache can be made, shown and pickled; its use is a TokenCacheError."""
        cache = pickle.loads(pickle.dumps(FileCache(path)))  # noqa: S301 (our own)

        with pytest.raises(TokenCacheError, match="there is no home folder"):
            cache.get("k")
        with pytest.raises(TokenCacheError, match="there is no home folder"):
            cache.set("k", PAIR)
        with pytest.raises(TokenCacheError, match="there is no home folder"):
            cache.try_lock("k", 1.0)

        assert "FileCache" in repr(cache)
        assert list(homeless.iterdir()) == []

    @pytest.mark.skipif(os.name != "posix", reason="this system finds homes otherwise")
    @pytest.mark.parametrize("name", ["nonexistent", "x" * 300])
    def test_a_missing_home_is_not_created(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
        """System users have one that must never exist, such as Debian's `/nonexistent`; a name may be impossible."""
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path / name))

        with pytest.raises(TokenCacheError, match="there is no home folder"):
            FileCache().set("k", PAIR)

        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.name != "posix", reason="this system finds homes otherwise")
    @pytest.mark.usefixtures("homeless")
    def test_a_client_without_home_uses_memory(self, server: Loopback) -> None:
        """With one warning, or a TokenCacheError if the cache is strict."""
        server.script(pair(1), user(), user())
        options: Any = {"client_id": "app_1", "client_secret": "s", "base_url": server.base_url}
        with warnings.catch_warnings(record=True) as caught, Client(token_cache=FileCache(), **options) as client:
            warnings.simplefilter("always")
            client.users.get("usr_1")
            client.users.get("usr_1")

        assert [warning.category for warning in caught] == [RuntimeWarning]
        with (
            Client(token_cache=FileCache(strict=True), **options) as client,
            pytest.raises(TokenCacheError, match="there is no home folder to keep tokens in: set HOME"),
        ):
            client.users.get("usr_1")
