"""`FileCache`: the content of the file, its permissions, and errors when it cannot be used."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import stat
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from redcore.exceptions import TokenCacheError
from redcore.tokens import FileCache, SharedTokenCache, TokenSet, file_lock
from redcore.tokens.file import LIFETIME_S
from redcore.tokens.file_lock import locked

PAIR = TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=5.5, scope="a b", issued_at=4e9)
AS_ROOT = os.name == "posix" and os.geteuid() == 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "tokens.json"


@pytest.fixture
def cache(file: Path) -> FileCache:
    return FileCache(file)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_stored_tokens_are_found_by_another_cache(file: Path, cache: FileCache) -> None:
    """Each key is separate, in another object and another process."""
    cache.set("one", PAIR)
    cache.set("two", TokenSet(access_token="access-2"))

    other = FileCache(str(file))
    assert (other.get("one"), other.get("two"), other.get("three")) == (PAIR, TokenSet(access_token="access-2"), None)


def test_deleted_tokens_are_gone(cache: FileCache) -> None:
    """Deleting twice is fine; the other keys stay."""
    cache.set("one", PAIR)
    cache.set("two", PAIR)

    cache.delete("one")
    cache.delete("one")

    assert (cache.get("one"), cache.get("two")) == (None, PAIR)


def test_only_the_owner_can_read_it(file: Path, cache: FileCache) -> None:
    """File 0600, folder 0700, whatever the umask, and locks too; nothing else is left behind."""
    before = os.umask(0)
    try:
        cache.set("one", PAIR)
        assert cache.try_lock("one", 1.0)
        cache.unlock("one")
    finally:
        os.umask(before)

    assert mode(file.parent) == 0o700
    assert {path.suffix: mode(path) for path in file.parent.iterdir()} == {".json": 0o600, ".lock": 0o600}


def test_a_file_that_others_can_read_is_refused(file: Path, cache: FileCache) -> None:
    """Others may have read the tokens: the message says what to do."""
    cache.set("one", PAIR)
    file.chmod(0o640)

    with pytest.raises(TokenCacheError, match=r"others can read .*tokens.json; if you trust what it holds: chmod 600"):
        cache.get("one")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"k": 1}', b'{"k": {"strange": 1}}', b"\xff", b'{"k": {}}' + b" " * 1024 * 1024]
)
def test_a_damaged_file_is_reported(file: Path, cache: FileCache, content: bytes) -> None:
    """A file that is half-written, or not a cache of ours; the read is bounded."""
    cache.set("k", PAIR)
    file.write_bytes(content)

    with pytest.raises(TokenCacheError, match="is damaged; delete it and log in again") as caught:
        cache.get("k")

    assert "access" not in str(caught.value)


def test_a_link_is_not_followed(file: Path, cache: FileCache, tmp_path: Path) -> None:
    """Another user cannot make the SDK read or write elsewhere."""
    cache.set("one", PAIR)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(TokenCacheError, match="cannot be used"):
        cache.get("one")


def test_an_unusable_path_is_reported(tmp_path: Path) -> None:
    """The message names the file and what to do."""
    (tmp_path / "file").touch()
    cache = FileCache(tmp_path / "file" / "tokens.json")

    for use in (lambda: cache.set("k", PAIR), lambda: cache.try_lock("k", 1.0), lambda: cache.get("k")):
        with pytest.raises(TokenCacheError, match=r"tokens.json cannot be used: .*; make it yours"):
            use()


def test_a_write_that_fails_leaves_the_old_tokens(
    file: Path, cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full half-way: the old file is whole, and no part of a new one stays."""
    cache.set("one", PAIR)
    before = sorted(path.name for path in file.parent.iterdir())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TokenCacheError, match="No space left on device"):
        cache.set("one", TokenSet(access_token="new"))

    assert cache.get("one") == PAIR
    assert sorted(path.name for path in file.parent.iterdir()) == before


def test_a_file_of_a_killed_writer_is_replaced(file: Path, cache: FileCache) -> None:
    """It holds tokens, and may have any permissions; none of it stays."""
    file.parent.mkdir()
    (file.parent / ".tokens.json.new").write_bytes(b"half")
    (file.parent / ".tokens.json.new").chmod(0o666)

    cache.set("one", PAIR)

    assert (cache.get("one"), mode(file)) == (PAIR, 0o600)
    assert {path.name for path in file.parent.iterdir()} == {"tokens.json", ".tokens.json.write.lock"}


def test_an_interrupt_while_the_file_is_replaced_is_not_lost(cache: FileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between the rename and its return ends the program, and is not a failure of the cache."""

    def interrupted(new: Path, file: Path) -> None:
        os.replace(new, file)  # noqa: PTH105 (of which this is a double)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)

    with pytest.raises(KeyboardInterrupt):
        cache.set("one", PAIR)

    assert cache.get("one") == PAIR


@pytest.mark.skipif(os.name != "posix", reason="this system has other names")
@pytest.mark.parametrize("name", ["nul\0", "\ud800", "/", "folder"])
def test_an_invalid_path_is_reported(tmp_path: Path, name: str) -> None:
    """Whatever the error of the system; no file is left beside it."""
    (tmp_path / "folder").mkdir()
    cache = FileCache(tmp_path / name)

    for use in (lambda: cache.get("k"), lambda: cache.set("k", PAIR), lambda: cache.try_lock("k", 1.0)):
        with pytest.raises(TokenCacheError, match=r"cannot be used: .*; make it yours, or name another path"):
            use()

    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_its_locks_exclude_everybody(file: Path, cache: FileCache) -> None:
    """The same object or another one, each key separately; only the holder releases a lock."""
    other = FileCache(file)

    assert cache.try_lock("one", 1.0)
    assert not cache.try_lock("one", 1.0)
    assert not other.try_lock("one", 1.0)
    assert other.try_lock("two", 1.0)
    other.unlock("one")
    assert not other.try_lock("one", 1.0)
    cache.unlock("one")
    assert other.try_lock("one", 1.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_has_no_lock(cache: FileCache) -> None:
    """It neither holds the parent's lock nor releases it, whatever it does."""
    assert cache.try_lock("one", 1.0)
    child = os.fork()
    if child == 0:
        cache.unlock("one")
        os._exit(int(cache.try_lock("one", 1.0)))

    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert not cache.try_lock("one", 1.0)
    cache.unlock("one")
    assert cache.try_lock("one", 1.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_during_the_first_use_waits_for_no_thread(
    cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that was looking for the path does not exist in it."""
    looking, forked = threading.Event(), threading.Event()
    expanduser = Path.expanduser

    def look(path: Path) -> Path:
        if threading.current_thread() is not threading.main_thread():
            looking.set()
            forked.wait(60.0)
        return expanduser(path)

    monkeypatch.setattr(Path, "expanduser", look)
    thread = threading.Thread(target=cache.get, args=["key"])
    thread.start()
    looking.wait(60.0)
    with warnings.catch_warnings():  # of forking with threads
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        signal.alarm(60)  # which ends it if it waits
        os._exit(0 if cache.get("key") is None else 1)

    _, status = os.waitpid(child, 0)
    forked.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_it_can_be_pickled(cache: FileCache) -> None:
    """For processes that are given a client; its locks are not copied."""
    again = pickle.loads(pickle.dumps(FileCache(cache.path, strict=True)))  # noqa: S301 (our own)

    assert (again.path, again.strict) == (cache.path, True)


def test_its_repr_shows_the_file(cache: FileCache) -> None:
    """The repr has the path and no token."""
    cache.set("one", PAIR)
    assert repr(cache) == f"FileCache({str(cache.path)!r})"
    assert isinstance(cache, SharedTokenCache)


def test_expired_entries_are_removed(cache: FileCache) -> None:
    """After 30 days without use a refresh token is dead; an entry without a date stays."""
    now = time.time()
    cache.set("old", TokenSet(access_token="a", issued_at=now - LIFETIME_S - 60))
    cache.set("young", TokenSet(access_token="b", issued_at=now - LIFETIME_S + 60))
    cache.set("undated", TokenSet(access_token="c"))

    assert (cache.get("old"), cache.get("young") is None, cache.get("undated") is None) == (None, False, False)


def test_an_entry_that_is_too_large_is_refused(cache: FileCache) -> None:
    """Otherwise the file could not be read again."""
    cache.set("one", PAIR)

    with pytest.raises(TokenCacheError, match="has no room for more tokens"):
        cache.set("two", TokenSet(access_token="x" * 1024 * 1024))

    assert cache.get("one") == PAIR


def test_a_writer_that_hangs_times_out(file: Path, cache: FileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five seconds the message says which process holds the lock; the test waits 0 s."""
    cache.set("one", PAIR)
    monkeypatch.setattr(file_lock, "TIMEOUT_S", 0.0)
    with (
        locked(file.with_name(".tokens.json.write.lock")),
        pytest.raises(TokenCacheError, match="another process has been writing it"),
    ):
        cache.set("one", PAIR)


def test_a_file_system_without_locks_is_reported(cache: FileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error does not say that another process holds the lock."""

    def without(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(file_lock, "_lock", without)
    with pytest.raises(TokenCacheError, match="No locks available"):
        cache.try_lock("one", 1.0)


HOSTILE = [
    b'{"k": {"access_token": 5}}',
    b'{"k": {"access_token": "a", "expires_at": "soon"}}',
    b'{"k": {"access_token": "a", "issued_at": true}}',
    b'{"k": {"access_token": "a", "scope": ["users:read"]}}',
    b'{"k": ' + b"[" * 100_000,
]


@pytest.mark.parametrize("content", HOSTILE, ids=lambda content: content.decode()[:60])
def test_an_entry_with_fields_of_other_types_is_damaged(file: Path, cache: FileCache, content: bytes) -> None:
    """It is a TokenCacheError like any other damage, not an error where the field is used later."""
    cache.set("k", PAIR)
    file.write_bytes(content)

    with pytest.raises(TokenCacheError, match="is damaged; delete it and log in again"):
        cache.get("k")


def test_an_entry_of_a_newer_version_is_read(file: Path, cache: FileCache) -> None:
    """Fields that this version does not know are ignored."""
    cache.set("k", PAIR)
    file.write_bytes(b'{"k": {"access_token": "access-1", "bound_to": "this machine"}}')

    assert cache.get("k") == TokenSet(access_token="access-1")


@pytest.mark.skipif(os.name != "posix", reason="this system has no such files")
def test_a_pipe_in_its_place_is_refused(file: Path, cache: FileCache) -> None:
    """The read does not wait for a writer."""
    file.parent.mkdir()
    os.mkfifo(file, 0o600)

    with pytest.raises(TokenCacheError, match="is not a file; name another path"):
        cache.get("k")


class TestOpenElsewhere:
    """Windows refuses to replace a file that is open, and to open one that is being replaced."""

    @pytest.fixture
    def refusals(self, monkeypatch: pytest.MonkeyPatch) -> list[OSError]:
        """What is raised before a file is replaced or opened, in order."""
        refusals: list[OSError] = []

        def refusing(function: Any) -> Any:
            def refuse(*args: Any, **options: Any) -> Any:
                if refusals:
                    raise refusals.pop()
                return function(*args, **options)

            return refuse

        monkeypatch.setattr(Path, "replace", refusing(Path.replace))
        monkeypatch.setattr("redcore.tokens.file._open_own", refusing(os.open))
        monkeypatch.setattr("redcore.tokens.file.EXCLUDES", True)
        return refusals

    def test_it_is_tried_again(self, cache: FileCache, refusals: list[OSError]) -> None:
        """The other program has it open for a moment only."""
        refusals += [PermissionError()] * 2
        cache.set("key", TokenSet(access_token="a"))
        refusals += [PermissionError()] * 2

        assert cache.get("key") == TokenSet(access_token="a")
        assert refusals == []

    def test_it_is_reported_if_it_stays_open(
        self, cache: FileCache, refusals: list[OSError], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a file is whose permissions forbid it."""
        monkeypatch.setattr("redcore.tokens.file.BUSY_S", -1.0)
        refusals += [PermissionError(13, "Access is denied")] * 2

        with pytest.raises(TokenCacheError, match="Access is denied"):
            cache.set("key", TokenSet(access_token="a"))

    def test_other_systems_report_at_once(
        self, cache: FileCache, refusals: list[OSError], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """There it is a matter of permissions."""
        monkeypatch.setattr("redcore.tokens.file.EXCLUDES", False)
        refusals += [PermissionError(13, "Permission denied")] * 2

        with pytest.raises(TokenCacheError, match="Permission denied"):
            cache.set("key", TokenSet(access_token="a"))
        assert len(refusals) == 1
