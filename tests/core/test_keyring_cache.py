"""`KeyringCache`, with keyrings that work and keyrings that fail."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as Failing
from keyring.backends.null import Keyring as Null
from tests.core.keyrings import Hanging, Locked, Remembering, Truncating, Windows

from redcore.exceptions import ConfigurationError, TokenCacheError
from redcore.tokens import KeyringCache, SharedTokenCache, TokenSet
from redcore.tokens.keyring_entry import USER

PAIR = TokenSet(
    access_token="access-canary", refresh_token="refresh-canary", expires_at=5.5, scope="ä b", issued_at=1.5
)
LARGE = TokenSet(access_token="a" * 4000, refresh_token="refresh-canary")
LEASE_S = 30.0


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def use(backend: KeyringBackend) -> None:
    keyring.set_keyring(backend)


@pytest.mark.parametrize("tokens", [PAIR, LARGE])
@pytest.mark.parametrize("backend", [Remembering, Windows])
def test_stored_tokens_are_found_by_another_cache(backend: type[Remembering], tokens: TokenSet) -> None:
    """Each key is separate; tokens may be longer than the keyring stores at once."""
    use(backend())
    KeyringCache().set("one", tokens)

    other = KeyringCache()
    assert (other.get("one"), other.get("two")) == (tokens, None)
    assert KeyringCache("other").get("one") is None


def test_deleted_tokens_are_gone() -> None:
    """Deleting twice is fine; nothing stays behind, not even the probe."""
    backend = Remembering()
    use(backend)
    cache = KeyringCache()
    cache.set("one", LARGE)

    cache.delete("one")
    cache.delete("one")

    assert cache.get("one") is None
    assert backend.kept == {}


@pytest.mark.parametrize("backend", [Failing, Null, ChainerBackend, Locked, Truncating])
def test_a_keyring_that_does_not_work_is_detected(backend: type[KeyringBackend]) -> None:
    """At first use, however it fails, also silently; the message says what to do."""
    use(backend())

    for access in (KeyringCache().get, KeyringCache().delete, lambda key: KeyringCache().set(key, PAIR)):
        with pytest.raises(
            TokenCacheError, match=r"unlock it, install a backend for it .* or use .*FileCache"
        ) as caught:
            access("one")
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_keyring_that_is_locked_later() -> None:
    """The message of a backend is not repeated: it may quote the value to be stored."""
    cache = KeyringCache()
    use(Remembering())
    cache.get("one")
    cache._probed = Locked()

    with pytest.raises(TokenCacheError, match=r"the keyring cannot be used \(KeyringLocked\)") as caught:
        cache.set("one", PAIR)

    assert "canary" not in str(caught.value)


def test_a_keyring_that_recovers_is_probed_again() -> None:
    """A failed probe is not final: a user who unlocks the keyring can continue with a strict cache."""
    cache = KeyringCache(strict=True)
    use(Locked())
    with pytest.raises(TokenCacheError):
        cache.get("one")

    use(Remembering())

    assert cache.get("one") is None


def test_a_keyring_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for once, as long as a person may need, and can be used when it has answered."""
    monkeypatch.setattr("redcore.tokens.keyring.ANSWER_S", 0.01)
    backend = Hanging()
    use(backend)
    cache = KeyringCache()

    for access in (cache.get, cache.delete, lambda key: cache.set(key, PAIR)):
        with pytest.raises(TokenCacheError, match="the keyring does not answer: unlock it, or restart its service"):
            access("one")

    backend.answered.set()
    for thread in [found for found in threading.enumerate() if found.name == "redcore-keyring"]:
        thread.join()
    cache._calls.limit_s = 60.0
    cache.set("one", PAIR)
    assert cache.get("one") == PAIR


@pytest.mark.parametrize(
    "stored", ["", "rubbish", "redcore-parts:rubbish", '{"name":"two","tokens":{"access_token":"a"}}']
)
def test_an_entry_of_another_program(stored: str) -> None:
    """An entry of another program is an error that says so, not a crash."""
    backend = Remembering()
    backend.kept["redcore:one", USER] = stored
    use(backend)

    with pytest.raises(TokenCacheError, match="keyring"):
        KeyringCache().get("one")


@pytest.mark.parametrize("stored", ["rubbish", "redcore-parts:a:9999:0", "redcore-parts:a:-1:0", "redcore-parts:::"])
def test_a_damaged_entry_is_replaced_and_deleted(stored: str) -> None:
    """A login replaces it, and logging out deletes it; reading says what is wrong."""
    backend = Remembering()
    backend.kept["redcore:one", USER] = backend.kept["redcore:two", USER] = stored
    use(backend)
    cache = KeyringCache()
    with pytest.raises(TokenCacheError, match="is not what this cache writes; delete it, or choose another"):
        cache.get("one")

    cache.set("one", PAIR)
    cache.delete("two")

    assert (cache.get("one"), cache.get("two")) == (PAIR, None)


def test_the_lock_is_shared(tmp_path: Path) -> None:
    """The lock has one holder at a time; each key and each service has its own."""
    first, other = KeyringCache(), KeyringCache()

    assert first.try_lock("one", LEASE_S)
    assert not other.try_lock("one", LEASE_S)
    assert other.try_lock("two", LEASE_S)
    assert KeyringCache("other").try_lock("one", LEASE_S)
    other.unlock("one")
    assert not other.try_lock("one", LEASE_S)

    first.unlock("one")
    assert other.try_lock("one", LEASE_S)
    assert {file.parent for file in tmp_path.rglob("*.lock")} == {tmp_path / "redcore"}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the folder."""
    (tmp_path / "redcore").touch()

    with pytest.raises(TokenCacheError, match=r"redcore cannot be used: File exists; make it yours"):
        KeyringCache().try_lock("one", LEASE_S)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'redcore-sdk\[keyring\]'"):
        KeyringCache()


def test_it_is_a_shared_cache_that_pickles() -> None:
    """It holds no secret; the copy uses the same entries."""
    copy = pickle.loads(pickle.dumps(KeyringCache("app", strict=True)))  # noqa: S301 (our own)

    assert (repr(copy), copy.strict) == ("KeyringCache('app')", True)
    assert isinstance(copy, SharedTokenCache)


def test_a_keyring_is_used_while_the_interpreter_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread can be started any more, but a new token pair must not be lost."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    use(Remembering())
    monkeypatch.setattr(threading.Thread, "start", start)
    KeyringCache().set("one", PAIR)

    assert KeyringCache().get("one") == PAIR
