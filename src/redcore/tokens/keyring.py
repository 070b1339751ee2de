"""Token cache in the keyring of the operating system, for programs that people run on their own machine."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

from redcore._base.signal_handlers import let_through
from redcore.exceptions import ConfigurationError, TokenCacheError
from redcore.tokens.bounded_calls import BoundedCalls
from redcore.tokens.encryption import Plain, Unreadable, close, unclose
from redcore.tokens.file_lock import FileLocks
from redcore.tokens.keyring_entry import PART_CHARACTERS, Keyring, KeyringEntry
from redcore.tokens.state_folder import state_folder
from redcore.tokens.token_set import TokenSet

ANSWER_S = 60.0  # for a person to read the prompt of a locked keyring, and to type a password
ADVICE = "unlock it, install a backend for it (https://pypi.org/project/keyring), or use redcore.tokens.FileCache"


class KeyringCache:
    """Keeps tokens in the Keychain, the Windows Credential Manager, the Secret Service or KWallet.

    On first use, the keyring is tested: it must return a value as long as the longest that is stored. A keyring that
    does not answer within a minute, such as a locked one whose prompt is not seen, cannot be used. Keyrings have no
    locks between processes, so empty files in the user's state folder serve as locks.

    Args:
        service: Prefix of the entry names.
        strict: Whether to raise `TokenCacheError` if the keyring cannot be used; otherwise tokens are kept in memory
            instead, with one warning.

    Raises:
        ConfigurationError: `keyring` is not installed.
    """

    def __init__(self, service: str = "redcore", *, strict: bool = False) -> None:
        try:
            from keyring import get_keyring  # noqa: PLC0415 (of the extra)
        except ImportError as problem:
            raise ConfigurationError("KeyringCache needs keyring: pip install 'redcore-sdk[keyring]'") from problem
        self.strict = strict
        self._service = service
        self._find = get_keyring
        self._calls = BoundedCalls(ANSWER_S)
        self._probed: Keyring | None = None
        self._locks = FileLocks()
        self._found: Path | None = None

    @property
    def _folder(self) -> Path:
        if self._found is None:  # not cached_property, as in `FileCache`
            self._found = state_folder()
        return self._found

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None.

        Raises:
            TokenCacheError: the keyring cannot be used, or does not answer within a minute.
        """

        def read() -> TokenSet | None:
            stored = self._entry(key).read()
            return None if stored is None else unclose(Plain(), key, stored.encode(errors="replace"))

        with clear_errors():
            return self._calls(read)

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, replacing any others; raises the same errors as `get`."""
        with clear_errors():
            self._calls(lambda: self._entry(key).write(close(Plain(), key, tokens).decode()))

    def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any; raises the same errors as `get`."""
        with clear_errors():
            self._calls(lambda: self._entry(key).delete())

    def try_lock(self, key: str, lease_s: float) -> bool:  # noqa: ARG002 (the system frees a dead holder's lock itself)
        """Acquire the lock of a key without waiting; see `SharedTokenCache`.

        Raises:
            TokenCacheError: the lock file cannot be created.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._locks.try_lock(self._lock_file(key))
        except OSError as problem:
            raise TokenCacheError(f"{self._folder} cannot be used: {problem.strerror}; make it yours") from None

    def unlock(self, key: str) -> None:
        """Release the lock of a key."""
        self._locks.unlock(self._lock_file(key))

    def __reduce__(self) -> tuple[object, ...]:
        return partial(KeyringCache, self._service, strict=self.strict), ()

    def __repr__(self) -> str:
        return f"KeyringCache({self._service!r})"

    def _lock_file(self, key: str) -> Path:
        name = hashlib.sha256(f"{self._service}\0{key}".encode()).hexdigest()[:16]
        return self._folder / f".keyring.{name}.lock"

    def _entry(self, key: str) -> KeyringEntry:
        if self._probed is None:
            found = cast("Keyring", self._find())  # a decorator of keyring hides the type of set_password
            probe(found, f"{self._service}:probe-{secrets.token_hex(8)}")  # other processes may be probing too
            self._probed = found
        return KeyringEntry(self._probed, f"{self._service}:{key}")


def probe(keyring: Keyring, name: str) -> None:
    """Check that a keyring returns what it stores: some silently keep nothing, or only a part.

    Raises:
        TokenCacheError: it does not.
    """
    entry = KeyringEntry(keyring, name)
    written = secrets.token_urlsafe(PART_CHARACTERS)[:PART_CHARACTERS]
    entry.write(written)
    try:
        read = entry.read()
    finally:
        entry.delete()
    if read != written:
        raise TokenCacheError(f"the keyring ({type(keyring).__module__}) does not keep what it is given: {ADVICE}")


@contextmanager
def clear_errors() -> Generator[None]:
    """Replace errors of a backend, which can be of any type and may quote the value to store, by clear ones."""
    try:
        yield
    except TokenCacheError:
        raise
    except Unreadable as problem:
        raise TokenCacheError(f"an entry of the keyring {problem}; delete it, or choose another service=") from None
    except Exception as problem:  # noqa: BLE001 (backends raise their own error types)
        let_through(problem)
        raise TokenCacheError(f"the keyring cannot be used ({type(problem).__name__}): {ADVICE}") from None
