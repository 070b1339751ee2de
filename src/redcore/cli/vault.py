"""Where the secrets of profiles are: in the system's keyring, or in a file of the user where it has none.

An API key is kept as a token pair without a second half, so that keyrings and files need to know one thing only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias

from redcore.cli.keyring_calls import BoundedKeyring
from redcore.exceptions import ConfigurationError, TokenCacheError
from redcore.tokens import FileCache, TokenSet

FILE: Final = "credentials.json"
API_KEY: Final = "api_key"
"""The `token_type` of an API key."""
Storage: TypeAlias = Literal["keyring", "file"]
Cache: TypeAlias = BoundedKeyring | FileCache


class Vault:
    """The secrets of one profile.

    Args:
        profile: Whose secrets.
        cache: Where they are.
    """

    def __init__(self, profile: str, cache: Cache) -> None:
        self.profile = profile
        self._cache = cache

    @property
    def storage(self) -> Storage:
        """What the profile notes of it."""
        return "keyring" if isinstance(self._cache, BoundedKeyring) else "file"

    @property
    def place(self) -> str:
        """Where the secrets are, for people."""
        return "keyring" if isinstance(self._cache, BoundedKeyring) else str(self._cache.path)

    def read(self) -> TokenSet | None:
        """Return the secrets; None before a login.

        Raises:
            TokenCacheError: the keyring or the file cannot be used.
        """
        return self._cache.get(self.profile)

    def write(self, tokens: TokenSet) -> None:
        """Store secrets, replacing any others; raises as `read` does."""
        self._cache.set(self.profile, tokens)

    def forget(self) -> None:
        """Forget the secrets, if there are any; raises as `read` does."""
        self._cache.delete(self.profile)

    def as_token_cache(self) -> SessionCache:
        """Return the vault as what a client keeps the renewed tokens in."""
        return SessionCache(self._cache, self.profile)


class SessionCache:
    """One session in a cache, whatever key the SDK gives it: all commands of a profile renew the same pair."""

    strict = True

    def __init__(self, cache: Cache, profile: str) -> None:
        self._cache = cache
        self._profile = profile

    def get(self, key: str) -> TokenSet | None:  # noqa: ARG002 (one session)
        """Return the pair."""
        return self._cache.get(self._profile)

    def set(self, key: str, tokens: TokenSet) -> None:  # noqa: ARG002 (as above)
        """Keep a pair."""
        self._cache.set(self._profile, tokens)

    def delete(self, key: str) -> None:  # noqa: ARG002 (as above)
        """Forget the pair."""
        self._cache.delete(self._profile)

    def try_lock(self, key: str, lease_s: float) -> bool:  # noqa: ARG002 (as above)
        """Take the lock of the session, without waiting."""
        return self._cache.try_lock(self._profile, lease_s)

    def unlock(self, key: str) -> None:  # noqa: ARG002 (as above)
        """Free the lock of the session."""
        self._cache.unlock(self._profile)


def in_file(folder: Path, profile: str) -> Vault:
    """Return the vault that is a file in the folder of the configuration."""
    return Vault(profile, FileCache(folder / FILE, strict=True))


def choose(folder: Path, profile: str, open_keyring: Callable[[], BoundedKeyring]) -> tuple[Vault, str | None]:
    """Return the best vault that this machine has, and why it is not the keyring if it is not.

    Args:
        folder: Where the file is, if it is a file.
        profile: Whose secrets.
        open_keyring: Opens the keyring.

    Raises:
        TokenCacheError: neither keyring nor file can be used.
    """
    try:
        keyring = open_keyring()
        keyring.get("")  # no profile's: its first use sees that the keyring keeps what it is given
    except (ConfigurationError, TokenCacheError) as problem:
        vault = in_file(folder, profile)
        vault.read()
        return vault, problem.message.partition(": ")[0]  # what follows is for programmers
    return Vault(profile, keyring), None
