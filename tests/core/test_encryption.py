"""Tokens as bytes: what a store keeps, and who can read it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import pytest
from cryptography.fernet import Fernet

from redcore.exceptions import ConfigurationError
from redcore.tokens import TokenSet
from redcore.tokens.encryption import Cipher, Encrypted, Plain, Unreadable, close, unclose

KEY, OLD_KEY = Fernet.generate_key(), Fernet.generate_key()
TOKENS = TokenSet(access_token="at-canary", refresh_token="rt-canary", expires_at=1700.5, scope="users:read")


@pytest.mark.parametrize("cipher", [Plain(), Encrypted([KEY]), Encrypted([KEY.decode()])])
def test_tokens_come_back(cipher: Cipher) -> None:
    """Tokens stored under a name are read under that name."""
    assert unclose(cipher, "a", close(cipher, "a", TOKENS)) == TOKENS


def test_the_store_sees_no_token() -> None:
    """Encrypted bytes reveal nothing of the tokens."""
    stored = close(Encrypted([KEY]), "a", TOKENS)

    assert b"canary" not in stored


def test_keys_can_be_changed() -> None:
    """The first key encrypts, and values written with an earlier key can still be read."""
    stored = close(Encrypted([OLD_KEY]), "a", TOKENS)
    both = Encrypted([KEY, OLD_KEY])

    assert unclose(both, "a", stored) == TOKENS
    assert unclose(Encrypted([KEY]), "a", close(both, "a", TOKENS)) == TOKENS


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        (close(Encrypted([OLD_KEY]), "a", TOKENS), "cannot be decrypted with encryption_key"),
        (close(Plain(), "a", TOKENS), "cannot be decrypted with encryption_key"),
        (close(Encrypted([KEY]), "b", TOKENS), "belongs to another entry"),
        (Fernet(KEY).encrypt(b"{}"), "is not what this cache writes"),
        (b"", "cannot be decrypted with encryption_key"),
        (b"\xff", "cannot be decrypted with encryption_key"),
    ],
    ids=["another key", "no key", "another entry", "another program", "nothing", "rubbish"],
)
def test_values_not_encrypted_for_the_entry_are_unreadable(stored: bytes, problem: str) -> None:
    """Another key, no key, the value of another entry, and rubbish."""
    with pytest.raises(Unreadable, match=problem):
        unclose(Encrypted([KEY]), "a", stored)


@pytest.mark.parametrize(
    "stored",
    [b"", b"\xff", b"[]", b"null", b'{"name":"a"}', b'{"name":"a","tokens":{"access_token":1}}', b'{"name":"a","tok'],
)
def test_rubbish_is_unreadable(stored: bytes) -> None:
    """Without a key too, whatever another program stored there."""
    with pytest.raises(Unreadable, match="is not what this cache writes"):
        unclose(Plain(), "a", stored)


def test_fields_of_a_newer_version_are_ignored() -> None:
    """A field that this version does not know is skipped."""
    stored = json.loads(close(Plain(), "a", TOKENS))
    stored["tokens"]["newer"] = 1

    assert unclose(Plain(), "a", json.dumps(stored).encode()) == TOKENS


@pytest.mark.parametrize("keys", [[], ["canary"], [b"\xff"], ["é" * 44], [KEY, "canary"]])
def test_an_invalid_key(keys: Sequence[str | bytes]) -> None:
    """An invalid key is refused with a hint how to make one, and not repeated."""
    with pytest.raises(ConfigurationError, match=r"Fernet\.generate_key\(\) makes one") as caught:
        Encrypted(keys)

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'redcore-sdk\[redis\]'"):
        Encrypted([KEY])
